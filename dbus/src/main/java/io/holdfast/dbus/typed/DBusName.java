package io.holdfast.dbus.typed;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The D-Bus name of an interface, of a method or property, of a signal's record, or of an enum
 * constant, where it differs from the Java name.
 *
 * <pre>{@code
 * @DBusName("org.freedesktop.hostname1")
 * public interface Hostname {
 *     @DBusName("SetHostname")
 *     void rename(String name, boolean interactive);
 * }
 * }</pre>
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD, ElementType.FIELD})
public @interface DBusName {
    /**
     * {@return the D-Bus name: for an interface as {@code org.example.Clock}, for a member a single
     * word, for an enum constant any text}
     */
    String value();
}
