"""WS-Discovery as a Python program does it: one Probe to the group, and whatever comes back. ADDRESS PORT [TYPES]"""
import socket, sys, time, uuid
import xml.etree.ElementTree as ET

address, port, types = sys.argv[1], int(sys.argv[2]), "".join(sys.argv[3:4])
S, A, D = ("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/ws/2004/08/addressing",
           "http://schemas.xmlsoap.org/ws/2005/04/discovery")
message_id = uuid.uuid4().urn
probe = f"""<s:Envelope xmlns:s="{S}" xmlns:a="{A}" xmlns:d="{D}" xmlns:tds="http://www.onvif.org/ver10/device/wsdl">
<s:Header><a:Action>{D}/Probe</a:Action><a:MessageID>{message_id}</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>
<s:Body><d:Probe>{f"<d:Types>{types}</d:Types>" if types else ""}</d:Probe></s:Body></s:Envelope>"""

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((address, 0))
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
s.sendto(probe.encode(), ("239.255.255.250", port))
end = time.monotonic() + 1.5
while (left := end - time.monotonic()) > 0:
    s.settimeout(left)
    try:
        packet, sender = s.recvfrom(65535)
    except socket.timeout:
        break
    root = ET.fromstring(packet)
    assert root.findtext(f".//{{{A}}}RelatesTo") == message_id
    for match in root.iter(f"{{{D}}}ProbeMatch"):
        print(sender[0], match.findtext(f".//{{{A}}}Address"), match.findtext(f"{{{D}}}XAddrs"))
