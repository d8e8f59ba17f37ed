package io.holdfast.core.testkit;

import io.holdfast.core.Feature;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What a test needs beyond a process of its own. Where that is missing the test is reported as
 * skipped, with the reason; a method's needs add to its class's.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(NeedsCondition.class)
public @interface Needs {
    /** The user root, with all capabilities. */
    boolean root() default false;

    /** A cgroup v2 hierarchy in which cgroups can be made. */
    boolean cgroup2() default false;

    /** User namespaces, which the kernel refuses to a process below chroot(2). */
    boolean userNamespaces() default false;

    /** That the kernel and libc have these. */
    Feature[] features() default {};

    /** That the kernel lacks these, or that they are hidden: for tests of fallbacks. */
    Feature[] without() default {};

    /** Programs to be found in {@code PATH}. */
    String[] programs() default {};

    /** Files that must exist, such as devices. */
    String[] files() default {};

    /**
     * A machine that may be changed for all and is thrown away afterwards: those that {@code
     * scripts/vm} starts ({@code -Dholdfast.disposable=true}).
     */
    boolean disposableMachine() default false;
}
