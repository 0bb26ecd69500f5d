"""The main job as a Python client does it: strict zeep, WS-UsernameToken, the WSDL named on the command line.

Usage: zeep_client.py WSDL SERVICE_URL IMAGE    (password on standard input)
Prints one word per step that worked; ends with 1 and a traceback at the first that did not.
"""
import datetime
import subprocess
import sys
import time

from zeep import Client, Settings
from zeep.exceptions import Fault
from zeep.wsse.username import UsernameToken
from zeep_catalog import transport_for

wsdl, url, image = sys.argv[1:4]
password = sys.stdin.readline().rstrip("\n")
transport = transport_for(wsdl)


def connect(name, secret):
    created = datetime.datetime.now(datetime.timezone.utc)
    client = Client(wsdl, settings=Settings(strict=True), wsse=UsernameToken(name, secret, use_digest=True, created=created), transport=transport)
    return client.create_service("{http://www.onvif.org/ver10/device/wsdl}DeviceBinding", url)


def version():
    return connect("admin", password).GetDeviceInformation().FirmwareVersion


admin = connect("admin", password)
assert admin.GetDeviceInformation().Manufacturer == "onvifd"
print("information")

services = connect("admin", password).GetServices(IncludeCapability=True)
assert services[0].XAddr == url, services
print("services")

connect("admin", password).CreateUsers(User=[{"Username": "olga", "Password": "Nightshift-42", "UserLevel": "Operator"}])
assert connect("olga", "Nightshift-42").GetDeviceInformation().FirmwareVersion == "1.0.0"
print("user")

try:
    connect("admin", "not the password").GetDeviceInformation()
    raise SystemExit("a wrong password was accepted")
except Fault as fault:
    assert any("NotAuthorized" in str(code) for code in fault.subcodes), fault.subcodes
print("refused")

answer = connect("admin", password).StartFirmwareUpgrade()
config = 'user = "admin:%s"\n' % password
status = subprocess.run(
    ["curl", "-s", "--config", "-", "--digest", "--data-binary", "@" + image, "-o", "/dev/null", "-w", "%{http_code}", answer.UploadUri],
    input=config, capture_output=True, text=True, check=True).stdout
assert status == "200", status
print("uploaded")

for attempt in range(200):
    try:
        if version() == "1.1.0":
            print("upgraded")
            sys.exit(0)
    except OSError:
        pass
    time.sleep(0.05)
raise SystemExit("the new version did not appear")
