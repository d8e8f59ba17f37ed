package io.holdfast.core.testkit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * Tests whose outcome cannot depend on the kernel: of parsers, printers, tables and rules of the
 * code. {@code scripts/vm}, where a second of work takes many, leaves them out. A class that asks
 * anything of the kernel that may differ, if only in one test, does not bear it.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag(SameOnEveryKernel.TAG)
public @interface SameOnEveryKernel {
    /** What JUnit is to exclude. */
    String TAG = "same-on-every-kernel";
}
