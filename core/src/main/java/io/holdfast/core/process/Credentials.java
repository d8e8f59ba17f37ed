package io.holdfast.core.process;

import io.holdfast.core.sys.process.PidfdInfo;

/**
 * A snapshot of the user and group ids of a process (credentials(7)), as our user namespace maps
 * them. All are unsigned 32-bit numbers; an id that is not mapped shows as the overflow id 65534.
 *
 * @param realUid the user who started the process
 * @param effectiveUid the user whose permissions count
 * @param savedUid the user to whom the process can switch back
 * @param fileSystemUid the user whose permissions count for files
 * @param realGid the group of the user who started the process
 * @param effectiveGid the group whose permissions count
 * @param savedGid the group to which the process can switch back
 * @param fileSystemGid the group whose permissions count for files
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
