package io.holdfast.varlink.typed;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The Varlink name of an interface, method, record, enum, component or enum constant, where it
 * differs from the Java name.
 *
 * <pre>{@code
 * @VarlinkName("org.example.Clock")
 * public interface Clock {
 *     record Zone(@VarlinkName("default") String name) {}
 *
 *     void setZone(Zone zone);
 * }
 * }</pre>
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD, ElementType.FIELD, ElementType.RECORD_COMPONENT})
public @interface VarlinkName {
    /** {@return the name: for an interface as {@code org.example.Clock}, otherwise one word} */
    String value();
}
