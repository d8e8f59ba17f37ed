package io.holdfast.core.testkit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * A test class that {@code ./test} runs when all others have ended, because it uses what the
 * machine has only once, or measures what others would change.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag(Alone.TAG)
public @interface Alone {
    /** The tag that {@code scripts/test-module} selects. */
    String TAG = "alone";

    /** The reason. */
    String value();
}
