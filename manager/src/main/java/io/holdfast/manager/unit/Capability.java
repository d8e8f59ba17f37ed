package io.holdfast.manager.unit;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;

/** The capabilities of {@code linux/capability.h}, in the order of their numbers. */
public enum Capability {
    CHOWN,
    DAC_OVERRIDE,
    DAC_READ_SEARCH,
    FOWNER,
    FSETID,
    KILL,
    SETGID,
    SETUID,
    SETPCAP,
    LINUX_IMMUTABLE,
    NET_BIND_SERVICE,
    NET_BROADCAST,
    NET_ADMIN,
    NET_RAW,
    IPC_LOCK,
    IPC_OWNER,
    SYS_MODULE,
    SYS_RAWIO,
    SYS_CHROOT,
    SYS_PTRACE,
    SYS_PACCT,
    SYS_ADMIN,
    SYS_BOOT,
    SYS_NICE,
    SYS_RESOURCE,
    SYS_TIME,
    SYS_TTY_CONFIG,
    MKNOD,
    LEASE,
    AUDIT_WRITE,
    AUDIT_CONTROL,
    SETFCAP,
    MAC_OVERRIDE,
    MAC_ADMIN,
    SYSLOG,
    WAKE_ALARM,
    BLOCK_SUSPEND,
    AUDIT_READ,
    PERFMON,
    BPF,
    CHECKPOINT_RESTORE;

    /** As a mask has them: bit {@code 1 << number()}. */
    public int number() {
        return ordinal();
    }

    /** As unit files and tools write it: {@code CAP_NET_ADMIN}. */
    @Override
    public String toString() {
        return "CAP_" + name();
    }

    /**
     * By name, with {@code CAP_}, in any case, or by number.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static Capability parse(String text) {
        String name = text.toUpperCase(Locale.ROOT);
        for (Capability capability : values()) {
            if (capability.toString().equals(name)
                    || String.valueOf(capability.number()).equals(name)) {
                return capability;
            }
        }
        throw Scalars.bad("a capability", text);
    }

    static Set<Capability> all() {
        return Collections.unmodifiableSet(EnumSet.allOf(Capability.class));
    }

    /**
     * One more assignment to a bounding set: {@code CAP_A CAP_B} narrows a full set to these or
     * adds them to a narrowed one, {@code ~CAP_A} takes away, nothing empties, {@code ~} alone
     * fills.
     *
     * @param unknown told of each word that names none; it is left out
     */
    static Set<Capability> assign(Set<Capability> before, String text, Consumer<String> unknown) {
        boolean without = text.startsWith("~");
        Set<Capability> named = EnumSet.noneOf(Capability.class);
        String words = without ? text.substring(1) : text;
        for (String word : WordReader.split(words, WordReader.Backslash.LITERAL_NEXT)) {
            try {
                named.add(parse(word));
            } catch (IllegalArgumentException e) {
                unknown.accept(word);
            }
        }
        Set<Capability> after = EnumSet.noneOf(Capability.class);
        boolean replaces = named.isEmpty() || before.size() == values().length;
        if (without) {
            after.addAll(replaces ? all() : before);
            after.removeAll(named);
        } else {
            after.addAll(replaces ? Set.of() : before);
            after.addAll(named);
        }
        return Collections.unmodifiableSet(after);
    }
}
