# A service written as usual for python3-dbus: an object with methods, a signal and properties. Ends with its bus.
import os
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NAME = "org.example.Python"
PATH = "/org/example/Python"


class Shelf(dbus.service.Object):
    @dbus.service.method(NAME, in_signature="a{sv}(ix)", out_signature="va{sv}")
    def Swap(self, first, second):
        self.Swapped(len(first))
        return second, first

    @dbus.service.method(NAME, in_signature="h", out_signature="s")
    def ReadAll(self, handle):
        with os.fdopen(handle.take(), "rb") as file:
            return file.read().decode()

    @dbus.service.method(NAME, in_signature="s", out_signature="h")
    def Pipe(self, text):
        reader, writer = os.pipe()
        with os.fdopen(writer, "wb") as file:
            file.write(text.encode())
        handle = dbus.types.UnixFd(reader)
        os.close(reader)
        return handle

    @dbus.service.method(NAME)
    def Fail(self):
        raise dbus.exceptions.DBusException("on purpose", name="org.example.Error.Purpose")

    @dbus.service.method(NAME, out_signature="s", sender_keyword="sender", connection_keyword="connection")
    def WhoAsks(self, sender, connection):
        return "%s uid %d" % (sender, connection.get_unix_user(sender))

    @dbus.service.signal(NAME, signature="i")
    def Swapped(self, count):
        pass


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
loop = GLib.MainLoop()
bus = dbus.bus.BusConnection(os.environ["DBUS_SESSION_BUS_ADDRESS"])
bus.call_on_disconnection(lambda connection: loop.quit())
bus.add_signal_receiver(
    lambda name, old, new: print("owner", name, old or "-", new or "-", flush=True),
    signal_name="NameOwnerChanged", arg0="org.example.Watched")
bus.add_signal_receiver(
    lambda text, sender: print("rang", text, sender, flush=True),
    signal_name="Rang", dbus_interface="org.example.Alarm", path="/alarm", sender_keyword="sender")
owned = dbus.service.BusName(NAME, bus, do_not_queue=True)
shelf = Shelf(bus, PATH)
print("ready", bus.get_unique_name(), flush=True)
loop.run()
print("disconnected", flush=True)
