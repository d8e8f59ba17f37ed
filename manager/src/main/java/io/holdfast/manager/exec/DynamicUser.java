package io.holdfast.manager.exec;

import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.Account;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.ExecSettings;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The user and group of a unit with {@code DynamicUser=}, if no account has their names: ids that
 * are reserved until this is closed, and are in no account file.
 *
 * @param uid empty if there is a user of this name, or the unit gives a number
 * @param gid empty if there is a group of this name, or the unit needs only the user's
 */
record DynamicUser(Optional<DynamicUids.Uid> uid, Optional<DynamicUids.Uid> gid)
        implements AutoCloseable {
    static final DynamicUser NONE = new DynamicUser(Optional.empty(), Optional.empty());

    private static final String NO_SHELL = "/usr/sbin/nologin";
    private static final Pattern NUMBER = Pattern.compile("[0-9]+");
    private static final Pattern USER_NAME = Pattern.compile("[a-z_][a-z0-9_-]{0,30}");

    /**
     * Reserves the ids that the unit needs. Blocking.
     *
     * @param preferred ids that are taken first if they are free
     * @throws SetupException if no id is left, or if accounts cannot be looked up
     */
    static DynamicUser of(
            ExecSettings settings,
            UnitName unit,
            Accounts accounts,
            DynamicUids uids,
            List<Long> preferred)
            throws SetupException, InterruptedException {
        if (!settings.dynamicUser()) {
            return NONE;
        }
        String user = userName(settings, unit);
        String group = settings.group().orElse(user);
        Optional<DynamicUids.Uid> uid = Optional.empty();
        try {
            if (isMissing(user, accounts.findUser(user).isPresent())) {
                uid = Optional.of(uids.take(user, preferred));
            }
            boolean own = group.equals(user) || accounts.findGroup(group).isPresent();
            return new DynamicUser(
                    uid,
                    isMissing(group, own)
                            ? Optional.of(uids.take(group, preferred))
                            : Optional.empty());
        } catch (UnknownAccountException | SetupException | InterruptedException e) {
            uid.ifPresent(DynamicUids.Uid::close);
            switch (e) {
                case SetupException setup -> throw setup;
                case InterruptedException interrupted -> throw interrupted;
                default -> throw new SetupException(SetupException.Step.USER, e);
            }
        }
    }

    private static boolean isMissing(String name, boolean known) {
        return !known && !NUMBER.matcher(name).matches();
    }

    /**
     * Returns the name in {@code User=}, else one made from the unit's own name, in a form that a
     * user may have.
     */
    static String userName(ExecSettings settings, UnitName unit) {
        return settings.user()
                .orElseGet(() -> {
                    String prefix = unit.prefix();
                    return USER_NAME.matcher(prefix).matches()
                            ? prefix
                            : "_du" + HexFormat.of().toHexDigits(prefix.hashCode());
                });
    }

    /** {@return the account, which is in no account file} */
    Optional<Account> account() {
        return uid.map(user -> {
            long group = gid.orElse(user).number();
            return new Account(user.name(), user.number(), group, "/", NO_SHELL);
        });
    }

    @Override
    public void close() {
        uid.ifPresent(DynamicUids.Uid::close);
        gid.ifPresent(DynamicUids.Uid::close);
    }
}
