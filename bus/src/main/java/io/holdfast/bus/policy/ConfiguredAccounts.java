package io.holdfast.bus.policy;

import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.Account;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import java.math.BigInteger;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The users and groups that a configuration names, read as dbus-daemon reads them.
 *
 * <p>What is a number to strtoul(3) with base 0, all of it, is a number: {@code 8}, {@code 010} in
 * octal, {@code 0x8}, {@code 0b1000}, with spaces and a sign before it. Its lower 32 bits count, as
 * of every uid_t. Everything else is a name: {@code mail}, but also {@code 08}, which is no octal
 * number, and what is longer than 64 bits. The number that stands for "nobody" (all bits set) is
 * neither.
 *
 * <p>One thing is different: a number counts here whether or not a database has it. dbus-daemon
 * leaves such a policy out; it does not let such users connect either, and this bus does.
 *
 * <p>All lookups may block: see {@link Accounts}.
 */
public final class ConfiguredAccounts {
    private static final Pattern NUMBER =
            Pattern.compile(
                    "[ \\t-\\r]*([+-]?)(?:0x([0-9a-f]+)|0b([01]+)|0([0-7]*)|([1-9][0-9]*))");
    private static final int[] RADIX = {16, 2, 8, 10}; // of the groups from the second on
    private static final BigInteger MAX = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);
    private static final long NOBODY = 0xFFFF_FFFFL;

    private final Accounts accounts;

    /**
     * @param accounts where names are looked up
     */
    public ConfiguredAccounts(Accounts accounts) {
        this.accounts = accounts;
    }

    /**
     * The number of a user.
     *
     * @throws UnknownAccountException if there is none of this name, or nobody could be asked
     */
    public long uid(String text) throws UnknownAccountException, InterruptedException {
        OptionalLong number = number(text);
        return number.isPresent() ? number.getAsLong() : accounts.userNamed(text).uid();
    }

    /**
     * The number of a group.
     *
     * @throws UnknownAccountException if there is none of this name, or nobody could be asked
     */
    public long gid(String text) throws UnknownAccountException, InterruptedException {
        OptionalLong number = number(text);
        return number.isPresent() ? number.getAsLong() : accounts.groupNamed(text);
    }

    /**
     * A user with a home and groups, as whom a program can be started.
     *
     * @throws UnknownAccountException if there is none of this name or number, or nobody could be
     *     asked
     */
    public Account user(String text) throws UnknownAccountException, InterruptedException {
        OptionalLong number = number(text);
        return number.isPresent()
                ? accounts.user(Long.toString(number.getAsLong()))
                : accounts.userNamed(text);
    }

    /** Empty for what is a name. */
    static OptionalLong number(String text) throws UnknownAccountException {
        Matcher matcher = NUMBER.matcher(text.toLowerCase(Locale.ROOT));
        if (!matcher.matches()) {
            return OptionalLong.empty();
        }
        BigInteger magnitude = BigInteger.ZERO;
        for (int i = 0; i < RADIX.length; i++) {
            String digits = matcher.group(i + 2);
            if (digits != null && !digits.isEmpty()) {
                magnitude = new BigInteger(digits, RADIX[i]);
            }
        }
        if (magnitude.compareTo(MAX) > 0) {
            return OptionalLong.empty();
        }
        boolean negative = "-".equals(matcher.group(1));
        long id = (negative ? magnitude.negate() : magnitude).longValue() & NOBODY;
        if (id == NOBODY) {
            throw new UnknownAccountException("no user or group has the number " + text.strip());
        }
        return OptionalLong.of(id);
    }
}
