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
 * Resolves the users and groups that a configuration names, as dbus-daemon resolves them.
 *
 * <p>A text is a number if strtoul(3) with base 0 reads all of it: {@code 8}, {@code 010} in octal,
 * {@code 0x8}, {@code 0b1000}, with spaces and a sign before it. Its lower 32 bits count, as in
 * every uid_t. Every other text is a name: {@code mail}, but also {@code 08}, which is no octal
 * number, and a number of more than 64 bits. The number that stands for "nobody" (all bits set) is
 * neither.
 *
 * <p>One thing is different: a number counts here whether or not a database has it. dbus-daemon
 * ignores such a policy; it does not let such users connect either, and this bus does.
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
     * @param accounts looks names up
     */
    public ConfiguredAccounts(Accounts accounts) {
        this.accounts = accounts;
    }

    /**
     * Returns the uid of a user.
     *
     * @throws UnknownAccountException if no user has this name, or no database could be queried
     */
    public long uid(String text) throws UnknownAccountException, InterruptedException {
        OptionalLong number = number(text);
        return number.isPresent() ? number.getAsLong() : accounts.userNamed(text).uid();
    }

    /**
     * Returns the gid of a group.
     *
     * @throws UnknownAccountException if no group has this name, or no database could be queried
     */
    public long gid(String text) throws UnknownAccountException, InterruptedException {
        OptionalLong number = number(text);
        return number.isPresent() ? number.getAsLong() : accounts.groupNamed(text);
    }

    /**
     * Returns a user with home and groups, to start a program as that user.
     *
     * @throws UnknownAccountException if no user has this name or number, or no database could be
     *     queried
     */
    public Account user(String text) throws UnknownAccountException, InterruptedException {
        OptionalLong number = number(text);
        return number.isPresent()
                ? accounts.user(Long.toString(number.getAsLong()))
                : accounts.userNamed(text);
    }

    /** Returns the number in a text; empty if the text is a name. */
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
