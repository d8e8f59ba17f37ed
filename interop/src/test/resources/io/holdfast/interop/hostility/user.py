# A plain user's process. It takes orders on its standard input, a SOCK_SEQPACKET, one a packet:
#   connect PATH            connects a stream and hands it over
#   datagram PATH           connects a datagram socket and hands it over
#   churn PATH SECONDS      for so long, as fast as it can: connects, sends what is in the next packet, and disconnects
#                           without reading
# It answers "ok" with the descriptor beside it, "ok COUNT", or the number of the error. Ends with its standard input.
import socket
import sys
import time

orders = socket.socket(fileno=0)


def connect(kind, path):
    made = socket.socket(socket.AF_UNIX, kind)
    made.connect(path)
    return made


def churn(path, seconds):
    says = orders.recv(1 << 17)
    end = time.monotonic() + float(seconds)
    count = 0
    while time.monotonic() < end:
        with connect(socket.SOCK_STREAM, path) as made:
            try:
                made.send(says, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            except OSError:
                pass  # refused, or full
        count += 1
    return count


while order := orders.recv(1 << 12).decode():
    what, path, *more = order.split(" ")
    try:
        if what == "churn":
            orders.send(b"ok %d" % churn(path, *more))
        else:
            with connect(socket.SOCK_DGRAM if what == "datagram" else socket.SOCK_STREAM, path) as made:
                socket.send_fds(orders, [b"ok"], [made.fileno()])
    except OSError as e:
        orders.send(b"%d" % e.errno)
sys.exit(0)
