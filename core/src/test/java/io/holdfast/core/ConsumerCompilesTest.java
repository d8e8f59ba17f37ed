package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.core.testkit.StrictConsumer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program that has only our jars can use every public class, with all compiler warnings on. */
@SameOnEveryKernel
class ConsumerCompilesTest {
    @TempDir Path folder;

    @Test
    void everyPublicClassCanBeUsedWithoutAWarning() throws Exception {
        assertThat(StrictConsumer.complaintsAboutAll(folder, Fd.class)).isEmpty();
    }
}
