// The simulator's events: shows each as it comes.

import { follow } from "./own_page.js";
import { announce, find } from "./phone.js";

const newest = (root) => find("#stories > :first-child .event:last-child", root);

follow({
  lists: ["#stories"],
  texts: ["#status"],
  taken(page, first) {
    const event = newest(page);
    if (first || !event || newest(document)?.dataset.key === event.dataset.key) return undefined;
    return () => announce(find(".what", event).textContent.trim());
  },
});
