package io.holdfast.dbus.typed;

import io.holdfast.dbus.BusInterface;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a method that accesses a property: a method without parameters reads it; a method with one
 * parameter and without a result sets it. Both have the same name, that of the property with a
 * lower-case first letter, or the same {@link DBusName}.
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
 * <p>A property has no descriptors, and its type is no stage. To be exported it must be readable.
 * When a caller sets it, PropertiesChanged is emitted automatically; after any other change, call
 * {@link Export#changed}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Property {
    /**
     * {@return what PropertiesChanged reports when it changes; only the annotation of the reading
     * method counts}
     */
    BusInterface.Change value() default BusInterface.Change.VALUE;
}
