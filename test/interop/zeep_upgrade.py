"""UpgradeSystemFirmware as a Python client can send it: the envelope and its token are zeep's.

Usage: zeep_upgrade.py WSDL SERVICE_URL IMAGE inline|package    (password on standard input)
Prints the Message of the answer.
"""
import base64
import datetime
import sys
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.policy import SMTP

from lxml import etree
from zeep import Client, Settings
from zeep.wsse.username import UsernameToken

wsdl, url, image, how = sys.argv[1:5]
password = sys.stdin.readline().rstrip("\n")
content = open(image, "rb").read()

created = datetime.datetime.now(datetime.timezone.utc)
client = Client(wsdl, settings=Settings(strict=True), wsse=UsernameToken("admin", password, use_digest=True, created=created))
service = client.create_service("{http://www.onvif.org/ver10/device/wsdl}DeviceBinding", url)
envelope = client.create_message(service, "UpgradeSystemFirmware", Firmware={"Include": {"href": "cid:image%40zeep"}})

if how == "inline":
    firmware = envelope.find(".//{http://www.onvif.org/ver10/device/wsdl}Firmware")
    for child in list(firmware):
        firmware.remove(child)
    firmware.text = base64.encodebytes(content).decode("ascii")
    answer = client.transport.post(url, etree.tostring(envelope), {"Content-Type": "application/soap+xml; charset=utf-8"})
else:
    package = MIMEMultipart("related", type="application/xop+xml", start="<root@zeep>", **{"start-info": "application/soap+xml"})
    root = MIMEApplication(etree.tostring(envelope), "xop+xml", _encoder=lambda part: None)
    root.add_header("Content-ID", "<root@zeep>")
    package.attach(root)
    # The library writes it in base64, in lines.
    part = MIMEApplication(content)
    part.add_header("Content-ID", "<image@zeep>")
    package.attach(part)
    head, body = package.as_bytes(policy=SMTP).split(b"\r\n\r\n", 1)
    answer = client.transport.post(url, body, {"Content-Type": " ".join(package["Content-Type"].split())})

message = etree.fromstring(answer.content).find(".//{http://www.onvif.org/ver10/device/wsdl}Message")
if message is None:
    raise SystemExit(answer.text)
print(message.text)
