package io.holdfast.core.process.privilege;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * The user, the group and the supplementary groups that a child takes on.
 *
 * <pre>{@code
 * UserIds ids = new UserIds(OptionalLong.of(33), OptionalLong.of(33), Optional.of(List.of()));
 * }</pre>
 *
 * @param uid the user id; empty: that of this process
 * @param gid the group id; empty: that of this process
 * @param groups the supplementary groups; empty: those of this process
 */
public record UserIds(OptionalLong uid, OptionalLong gid, Optional<List<Long>> groups) {
    /** The ids of this process, unchanged. */
    public static final UserIds OURS =
            new UserIds(OptionalLong.empty(), OptionalLong.empty(), Optional.empty());

    private static final long LAST = 0xFFFF_FFFEL; // the highest number means "do not change"
    private static final long CAP_SETGID = 1 << 6;
    private static final long CAP_SETUID = 1 << 7;

    /**
     * @throws IllegalArgumentException if a number is not a valid user or group id
     */
    public UserIds {
        if (uid.isPresent()) {
            check(uid.getAsLong());
        }
        if (gid.isPresent()) {
            check(gid.getAsLong());
        }
        if (groups.isPresent()) {
            List<Long> copy = List.copyOf(groups.get());
            copy.forEach(UserIds::check);
            groups = Optional.of(copy);
        }
    }

    private static void check(long id) {
        if (id < 0 || id > LAST) {
            throw new IllegalArgumentException("not the number of a user or group: " + id);
        }
    }

    /** Returns whether nothing changes. */
    public boolean isOurs() {
        return uid.isEmpty() && gid.isEmpty() && groups.isEmpty();
    }

    /**
     * Returns the capabilities that the change needs: bit n is the capability of that number
     * (capabilities(7)).
     */
    public long capabilities() {
        boolean anyGroup = gid.isPresent() || groups.isPresent();
        return (uid.isPresent() ? CAP_SETUID : 0) | (anyGroup ? CAP_SETGID : 0);
    }

    /**
     * Returns the options of setpriv(1), with numeric ids only, so that no name service runs with
     * our privileges in the child's environment.
     */
    public List<String> options() {
        List<String> options = new ArrayList<>();
        if (isOurs()) {
            return options;
        }
        uid.ifPresent(id -> options.add("--reuid=" + id));
        gid.ifPresent(id -> options.add("--regid=" + id));
        options.add(groups.map(UserIds::option).orElse("--keep-groups"));
        return options;
    }

    private static String option(List<Long> groups) {
        return groups.isEmpty()
                ? "--clear-groups"
                : "--groups="
                        + groups.stream().map(String::valueOf).collect(Collectors.joining(","));
    }
}
