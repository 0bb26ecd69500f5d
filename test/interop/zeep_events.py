"""Events as a Python client watches them: strict zeep with its own WS-Addressing, WS-UsernameToken, a pull point that is made anew after a loss.

Usage: zeep_events.py WSDL EVENT_SERVICE_URL    (password on standard input)
Prints a JSON object for each event, and ends with the result of an upgrade.
"""
import datetime
import json
import os
import sys
import time

import requests
from zeep import Client, Settings
from zeep.exceptions import Fault
from zeep.plugins import HistoryPlugin
from zeep.wsse.username import UsernameToken
from zeep_catalog import official_folder, transport_for

wsdl, url = sys.argv[1:3]
password = sys.stdin.readline().rstrip("\n")
tev = "{http://www.onvif.org/ver10/events/wsdl}"

official = official_folder(wsdl)
history = HistoryPlugin()
client = Client(wsdl, settings=Settings(strict=True), transport=transport_for(wsdl), plugins=[history])
if official:
    # The WSDL does not import what tt:Message is.
    client.wsdl.types.add_document_by_url(os.path.join(official, "ver10/schema/onvif.xsd"))


def service(binding, address):
    created = datetime.datetime.now(datetime.timezone.utc)
    client.wsse = UsernameToken("admin", password, use_digest=True, created=created)
    return client.create_service(tev + binding, address)


def watch():
    subscription = service("EventBinding", url).CreatePullPointSubscription(InitialTerminationTime="PT1M")
    address = subscription.SubscriptionReference.Address._value_1
    while True:
        answer = service("PullPointSubscriptionBinding", address).PullMessages(Timeout=datetime.timedelta(seconds=5), MessageLimit=10)
        # The content of wsnt:Topic is mixed, and zeep has no value for that.
        topics = [topic.text for topic in history.last_received["envelope"].iter("{http://docs.oasis-open.org/wsn/b-2}Topic")]
        for topic, notification in zip(topics, answer.NotificationMessage):
            message = notification.Message._value_1
            data = {item.Name: item.Value for item in (message.Data.SimpleItem if message.Data else [])}
            print(json.dumps({"topic": topic, "operation": message.PropertyOperation, "data": data}), flush=True)
            if data.get("ofd:State") in ("Succeeded", "Failed"):
                service("SubscriptionManagerBinding", address).Unsubscribe()
                return


while True:
    try:
        watch()
        break
    except (Fault, requests.exceptions.RequestException) as error:
        print(repr(error), file=sys.stderr)
        time.sleep(0.1)
