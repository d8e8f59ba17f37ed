package io.holdfast.core.socket;

import io.holdfast.core.sys.socket.UnixName;

/** Converts addresses for the calls of {@code SysSocket}. */
final class KernelAddress {
    private KernelAddress() {}

    static UnixName of(UnixAddress address) {
        return switch (address) {
            case UnixAddress.PathName(String path) -> UnixName.of(path);
            case UnixAddress.AbstractName(String name) -> UnixName.of("\0" + name);
            case UnixAddress.Unnamed _ -> UnixName.of(new byte[0]);
        };
    }

    static UnixAddress address(UnixName name) {
        return UnixAddress.ofKernelName(name.text());
    }
}
