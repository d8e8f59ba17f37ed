# filters.py PID: prints the filters of system calls that a process has, the oldest first, one base64 text a line.
import base64
import ctypes
import os
import sys

PTRACE_ATTACH = 16
PTRACE_DETACH = 17
PTRACE_SECCOMP_GET_FILTER = 0x420C
INSTRUCTION = 8  # bytes

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, number=None, data=None):
    return libc.ptrace(request, int(sys.argv[1]), number, data)


if ptrace(PTRACE_ATTACH) != 0:
    sys.exit("ptrace: " + os.strerror(ctypes.get_errno()))
os.waitpid(int(sys.argv[1]), 0)
number = 0
while (length := ptrace(PTRACE_SECCOMP_GET_FILTER, number)) > 0:
    program = ctypes.create_string_buffer(length * INSTRUCTION)
    ptrace(PTRACE_SECCOMP_GET_FILTER, number, program)
    print("filter", base64.b64encode(program.raw).decode())
    number += 1
ptrace(PTRACE_DETACH)
