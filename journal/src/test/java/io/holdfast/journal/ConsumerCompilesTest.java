package io.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.core.testkit.StrictConsumer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program that is compiled strictly, with only our jars, can use every public class. */
@SameOnEveryKernel
class ConsumerCompilesTest {
    @TempDir Path folder;

    @Test
    void everyPublicClassCanBeUsedWithoutAWarning() throws Exception {
        assertThat(StrictConsumer.complaintsAboutAll(folder, Entry.class, Fd.class)).isEmpty();
    }

    @Test
    void noSignatureHasATypeThatUsersCannotName() throws Exception {
        assertThat(StrictConsumer.hiddenTypes(Entry.class, Fd.class)).isEmpty();
    }
}
