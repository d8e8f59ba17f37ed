package io.holdfast.core.process;

/** Flags of {@code clone3(2)} for the children of a {@code ForeignParent}. */
final class Clone {
    static final long NEWUTS = 0x04000000;
    static final long NEWIPC = 0x08000000;
    static final long NEWUSER = 0x10000000;
    static final long NEWPID = 0x20000000;
    static final long NEWNET = 0x40000000;
    static final long AUTOREAP = 1L << 34;

    private Clone() {}
}
