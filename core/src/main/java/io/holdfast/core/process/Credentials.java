package io.holdfast.core.process;

import io.holdfast.core.sys.process.PidfdInfo;

/**
 * The user and group ids of a process at one moment (credentials(7)), as our user namespace maps
 * them. All are unsigned 32-bit numbers; an id that is not mapped shows as the overflow id 65534.
 */
public record Credentials(
        long realUid,
        long effectiveUid,
        long savedUid,
        long fileSystemUid,
        long realGid,
        long effectiveGid,
        long savedGid,
        long fileSystemGid) {

    static Credentials of(PidfdInfo info) {
        return new Credentials(
                Integer.toUnsignedLong(info.ruid()),
                Integer.toUnsignedLong(info.euid()),
                Integer.toUnsignedLong(info.suid()),
                Integer.toUnsignedLong(info.fsuid()),
                Integer.toUnsignedLong(info.rgid()),
                Integer.toUnsignedLong(info.egid()),
                Integer.toUnsignedLong(info.sgid()),
                Integer.toUnsignedLong(info.fsgid()));
    }
}
