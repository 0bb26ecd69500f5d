"""Lets zeep read the official files as they are: what they import from the web comes out of the folder of an OASIS catalog."""
import os
import xml.etree.ElementTree

from zeep.transports import Transport


class Catalog(Transport):
    def __init__(self, folder):
        super().__init__()
        names = xml.etree.ElementTree.parse(os.path.join(folder, "catalog.xml")).iter("{urn:oasis:names:tc:entity:xmlns:xml:catalog}system")
        self.files = {name.get("systemId"): os.path.join(folder, name.get("uri")) for name in names}

    def load(self, location):
        return super().load(self.files.get(location.replace("https:", "http:", 1), location))


def official_folder(wsdl):
    """Where the catalog stands that this WSDL belongs to; None where it is not an official one."""
    folder = os.path.abspath(os.path.join(os.path.dirname(wsdl), "../../.."))
    return folder if os.path.exists(os.path.join(folder, "catalog.xml")) else None


def transport_for(wsdl):
    folder = official_folder(wsdl)
    return Catalog(folder) if folder else Transport()
