// The simulator's phone: shows a message as it arrives.

import { follow } from "./own_page.js";
import { announce, find } from "./phone.js";

const log = find("#log");
const newest = (root) => find("#messages", root).lastElementChild?.dataset.key;

follow({
  lists: ["#phones", "#messages"],
  texts: ["#number", "#status"],
  taken(page, first) {
    if (newest(document) === newest(page)) return undefined;
    return () => {
      log.scrollTop = log.scrollHeight;
      if (!first) announce(find("#messages > :last-child .text")?.textContent ?? "");
    };
  },
});
