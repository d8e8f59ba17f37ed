package io.holdfast.manager.unit.host;

import io.holdfast.manager.unit.value.Scalars;
import java.util.List;
import java.util.Locale;

/**
 * The architectures of system calls that {@code SystemCallArchitectures=} names and Holdfast knows.
 */
public enum Architecture {
    // the audit architectures of linux/audit.h; x32 has a number of libseccomp's
    NATIVE(0),
    X86(0x4000_0003),
    X86_64(0xc000_003e),
    X32(0x4000_003e),
    ARM(0x4000_0028),
    ARM64(0xc000_00b7);

    private final int token;

    Architecture(int token) {
        this.token = token;
    }

    /** {@return the word in unit files} */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** {@return the number that libseccomp has for it} */
    public int token() {
        return token;
    }

    /**
     * {@return the architecture of a word}
     *
     * @throws IllegalArgumentException if there is none
     */
    public static Architecture ofWord(String word) {
        return Scalars.parseWord(values(), word);
    }

    /** {@return all whose system calls this machine's kernel accepts, the machine's own last} */
    public static List<Architecture> local() {
        return switch (System.getProperty("os.arch")) {
            case "amd64" -> List.of(X86, X32, X86_64);
            case "aarch64" -> List.of(ARM, ARM64);
            default -> List.of(NATIVE);
        };
    }
}
