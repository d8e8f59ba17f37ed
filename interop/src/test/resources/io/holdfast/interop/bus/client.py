# A client written as usual for python3-dbus: it calls the object of the test, and the bus itself.
import dbus
import os

NAME = "org.example.Java"
PATH = "/org/example/Java"

bus = dbus.bus.BusConnection(os.environ["DBUS_SESSION_BUS_ADDRESS"])
proxy = bus.get_object(NAME, PATH)
java = dbus.Interface(proxy, NAME)
print(java.Join(["a", "b"], dbus.Struct((1, True))))
properties = dbus.Interface(proxy, "org.freedesktop.DBus.Properties")
properties.Set(NAME, "Level", dbus.Int32(7))
print(properties.GetAll(NAME)["Level"])
try:
    java.Fail()
except dbus.exceptions.DBusException as error:
    print(error.get_dbus_name(), error.get_dbus_message())
print(bus.request_name("org.example.Asked"), bus.name_has_owner("org.example.Asked"))
print(bus.get_name_owner("org.example.Asked") == bus.get_unique_name())
print(bus.release_name("org.example.Asked"), bus.name_has_owner("org.example.Asked"))
print(bus.get_unix_user(NAME))
