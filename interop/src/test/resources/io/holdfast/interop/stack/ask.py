# ask.py ACTION VARLINK_ADDRESS: checks whether this process may do it, in every way that a process can ask. Then stays.
import json
import os
import signal
import subprocess
import sys

import dbus

action, varlink = sys.argv[1:]
connection = dbus.SystemBus()
authority = dbus.Interface(
    connection.get_object("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority", introspect=False),
    "org.freedesktop.PolicyKit1.Authority")


def bus(kind, details):
    answer = authority.CheckAuthorization((kind, dbus.Dictionary(details, signature="sv")), action,
                                          dbus.Dictionary({}, signature="ss"), dbus.UInt32(0), "",
                                          signature="(sa{sv})sa{ss}us", timeout=100)
    return "yes" if answer[0] else "no"


own = os.pidfd_open(os.getpid())
start = int(open("/proc/self/stat").read().rpartition(")")[2].split()[19])
peer = json.loads(subprocess.run(
    ["varlinkctl", "call", "--json=short", varlink, "io.holdfast.Authority.Check", json.dumps({"action": action})],
    check=True, stdout=subprocess.PIPE).stdout)
print("by-bus-name", bus("system-bus-name", {"name": connection.get_unique_name()}),
      "by-pidfd", bus("unix-process", {"pidfd": dbus.types.UnixFd(own), "uid": dbus.Int32(os.getuid())}),
      "by-number", bus("unix-process", {"pid": dbus.UInt32(os.getpid()), "start-time": dbus.UInt64(start),
                                        "uid": dbus.Int32(os.getuid())}),
      "by-varlink", "yes" if peer["isAuthorized"] else "no", "end", flush=True)
signal.pause()
