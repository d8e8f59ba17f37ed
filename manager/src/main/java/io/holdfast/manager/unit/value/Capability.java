package io.holdfast.manager.unit.value;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** The capabilities of {@code linux/capability.h}, in the order of their numbers. */
public enum Capability {
    CHOWN(0),
    DAC_OVERRIDE(1),
    DAC_READ_SEARCH(2),
    FOWNER(3),
    FSETID(4),
    KILL(5),
    SETGID(6),
    SETUID(7),
    SETPCAP(8),
    LINUX_IMMUTABLE(9),
    NET_BIND_SERVICE(10),
    NET_BROADCAST(11),
    NET_ADMIN(12),
    NET_RAW(13),
    IPC_LOCK(14),
    IPC_OWNER(15),
    SYS_MODULE(16),
    SYS_RAWIO(17),
    SYS_CHROOT(18),
    SYS_PTRACE(19),
    SYS_PACCT(20),
    SYS_ADMIN(21),
    SYS_BOOT(22),
    SYS_NICE(23),
    SYS_RESOURCE(24),
    SYS_TIME(25),
    SYS_TTY_CONFIG(26),
    MKNOD(27),
    LEASE(28),
    AUDIT_WRITE(29),
    AUDIT_CONTROL(30),
    SETFCAP(31),
    MAC_OVERRIDE(32),
    MAC_ADMIN(33),
    SYSLOG(34),
    WAKE_ALARM(35),
    BLOCK_SUSPEND(36),
    AUDIT_READ(37),
    PERFMON(38),
    BPF(39),
    CHECKPOINT_RESTORE(40);

    private final int number;

    Capability(int number) {
        this.number = number;
    }

    /** {@return the number: bit {@code 1 << number()} of a mask} */
    public int number() {
        return number;
    }

    /** {@return the name in unit files and tools: {@code CAP_NET_ADMIN}} */
    @Override
    public String toString() {
        return "CAP_" + name();
    }

    /**
     * Returns a capability by its name with {@code CAP_}, in any case, or by its number.
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
        throw Scalars.unknown(
                "a capability", text, Stream.of(values()).map(Capability::toString).toList());
    }

    public static Set<Capability> all() {
        return Collections.unmodifiableSet(EnumSet.allOf(Capability.class));
    }

    /**
     * Applies one more assignment to a set. The first one replaces the initial set by {@code CAP_A
     * CAP_B} or, with {@code ~}, by all except these; further ones add or remove. An empty value
     * empties the set, {@code ~} alone fills it.
     *
     * @param before the present set; if it equals the initial set, there was no assignment before
     * @param initial all for a bounding set, none for ambient capabilities
     * @param unknown receives why a word is ignored
     */
    public static Set<Capability> assign(
            Set<Capability> before,
            Set<Capability> initial,
            String text,
            Consumer<String> unknown) {
        boolean without = text.startsWith("~");
        Set<Capability> named = EnumSet.noneOf(Capability.class);
        String words = without ? text.substring(1) : text;
        for (String word : WordReader.splitRelaxed(words)) {
            try {
                named.add(parse(word));
            } catch (IllegalArgumentException e) {
                unknown.accept(String.valueOf(e.getMessage()));
            }
        }
        Set<Capability> after = EnumSet.noneOf(Capability.class);
        boolean replaces = named.isEmpty() || before.equals(initial);
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
