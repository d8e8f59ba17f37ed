# set-name.py NAME: sets the name of the machine, with an agent for this process; then stays.
import os
import signal
import subprocess
import sys

import dbus

ready, told = os.pipe()
subprocess.Popen(["pkttyagent", "--process", str(os.getpid()), "--notify-fd", str(told)], pass_fds=[told])
os.close(told)
os.read(ready, 1)  # its end: the agent is registered
hostname = dbus.Interface(
    dbus.SystemBus().get_object("org.freedesktop.hostname1", "/org/freedesktop/hostname1", introspect=False),
    "org.freedesktop.hostname1")
hostname.SetStaticHostname(sys.argv[1], True, signature="sb", timeout=100)
print("set", sys.argv[1], flush=True)
hostname.SetStaticHostname(sys.argv[1] + "-again", True, signature="sb", timeout=100)
print("again", flush=True)
signal.pause()
