package io.holdfast.dbus.typed;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The D-Bus type of a number or a text, where it is not the default of its Java type: above all for
 * unsigned numbers, which Java does not have.
 *
 * <pre>{@code
 * @Wire("u") long processOf(String name);
 *
 * Map<String, @Wire("t") BigInteger> counters();
 *
 * void setPort(@Wire("q") int port);
 * }</pre>
 *
 * <p>A short, int, long or BigInteger may be any of y n q i u x t, a String may be o or g. Numbers
 * are checked against both ranges: a value outside the range of the other type is refused, with the
 * name of the argument, and never wraps. Only {@code BigInteger} has all values of t.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE_USE)
public @interface Wire {
    /** {@return the type code, as {@code u}} */
    String value();
}
