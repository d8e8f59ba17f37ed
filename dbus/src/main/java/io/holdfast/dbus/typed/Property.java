package io.holdfast.dbus.typed;

import io.holdfast.dbus.BusInterface;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says that a method is a property: without parameters it reads the property, with one parameter
 * and without a result it sets it. Both have the same name, that of the property with a small first
 * letter, or the same {@link DBusName}.
 *
 * <pre>{@code
 * @Property
 * String zone();
 *
 * @Property
 * void zone(String zone);
 *
 * @Property(BusInterface.Change.CONSTANT)
 * String version();
 * }</pre>
 *
 * <p>A property has no descriptors, and no stage around it. To be exported it must be readable.
 * When others set it, listeners are told; when it changes otherwise, {@link Export#changed} tells
 * them.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Property {
    /** {@return what listeners are told when it changes; counts on the method that reads} */
    BusInterface.Change value() default BusInterface.Change.VALUE;
}
