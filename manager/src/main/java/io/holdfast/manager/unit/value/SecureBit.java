package io.holdfast.manager.unit.value;

import java.util.Set;

/** Flags for the kernel's treatment of root (capabilities(7), "The securebits flags"). */
public enum SecureBit {
    // the numbers of linux/securebits.h
    KEEP_CAPS(4),
    KEEP_CAPS_LOCKED(5),
    NO_SETUID_FIXUP(2),
    NO_SETUID_FIXUP_LOCKED(3),
    NOROOT(0),
    NOROOT_LOCKED(1);

    private final int number;

    SecureBit(int number) {
        this.number = number;
    }

    /** {@return the mask of some bits, as prctl(2) takes it} */
    public static long mask(Set<SecureBit> bits) {
        return bits.stream().mapToLong(bit -> 1L << bit.number).sum();
    }
}
