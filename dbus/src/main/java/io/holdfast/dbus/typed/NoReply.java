package io.holdfast.dbus.typed;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a method whose callers expect no reply: a proxy sends the call and does not wait, and no
 * error comes back. The method returns void. When it is exported, its introspection data has {@code
 * org.freedesktop.DBus.Method.NoReply}.
 *
 * <pre>{@code
 * @NoReply
 * void poke(String name);
 * }</pre>
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface NoReply {}
