"""A provider on your own machine: Gupshup's WhatsApp API, its enterprise SMS, Meta's Cloud API.

``python -m otp_service.simulator`` runs it (docs/simulator.md). In a test::

    with Simulator(seed=1, delay=0.01) as simulator:
        # the service's settings: simulator.gupshup_url, .sms_url, .meta_url, and any key
        simulator.callback_url = f"{service}/webhooks/gupshup?token=…"

        simulator.script(next=1, fault="http:429")           # the next send to anybody
        simulator.script("+919876543210", fault="failed:131026")  # every send to this phone
        simulator.script(next=2, receipts=["enqueued", "sent"], answer="stall:2")  # in your words

        simulator.last_code("+919876543210")     # what the phone shows; None before it got any
        simulator.messages("+919876543210")      # every send: .id .code .text .arrived .status
        simulator.events()                       # what came to .events_url: .type .verified .data
        simulator.settle()                       # wait until every receipt has been sent
        simulator.receipt(message, "delivered")  # send one by hand, and wait for the answer
        simulator.subscribe("gupshup")           # try the callback URL, as saving it does
        simulator.reset()                        # forget messages, events, script, receipts to come

Every option of `Options` is an argument and an attribute, and may be changed in between. Ids and
the order of one message's receipts hang on the seed and on the requests alone. The words for
faults and receipts are in `fault_table.py`; a phone number may choose a fault by its last five
digits (``number_faults=False`` turns that off).
"""

from otp_service.simulator.events import Event
from otp_service.simulator.messages import Callback, Message
from otp_service.simulator.simulator import Simulator

__all__ = ["Callback", "Event", "Message", "Simulator"]
