package io.holdfast.manager.unit.value;

/** Flags for the kernel's treatment of root (capabilities(7), "The securebits flags"). */
public enum SecureBit {
    KEEP_CAPS,
    KEEP_CAPS_LOCKED,
    NO_SETUID_FIXUP,
    NO_SETUID_FIXUP_LOCKED,
    NOROOT,
    NOROOT_LOCKED
}
