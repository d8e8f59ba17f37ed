package io.holdfast.core.process;

import io.holdfast.core.sys.SysMount;

/** An attribute of the mounts of a {@link MountTree} (mount_setattr(2)). */
public enum MountAttribute {
    /** No file can be changed. */
    READ_ONLY(SysMount.READ_ONLY),
    /** Set-user-ID and set-group-ID bits have no effect. */
    NO_SUID(SysMount.NO_SUID),
    /** Device nodes cannot be opened. */
    NO_DEVICES(SysMount.NO_DEVICES),
    /** No program can be executed. */
    NO_EXEC(SysMount.NO_EXEC);

    private final long bit;

    MountAttribute(long bit) {
        this.bit = bit;
    }

    /** Returns the sum of the kernel's constants. */
    static long bits(MountAttribute... attributes) {
        long bits = 0;
        for (MountAttribute attribute : attributes) {
            bits |= attribute.bit;
        }
        return bits;
    }
}
