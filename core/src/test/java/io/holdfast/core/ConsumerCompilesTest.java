package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.core.testkit.StrictConsumer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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

    @Test
    void theTypesOfTheSignaturesCanBeUsedByAModule() throws Exception {
        String source =
"""
                package consumer;

                import io.holdfast.core.file.*;
                import io.holdfast.core.process.*;
                import io.holdfast.core.socket.UnixAddress;
                import java.nio.file.Path;
import java.util.List;
import java.util.Map;
                import java.util.Map;

                class Consumer {
                    static long owner(Path path) throws FileException {
                        try (OpenedFile file = OpenedFile.open(path, OpenHow.reading())) {
                            return file.stat().uid() + FileKind.of(file.stat()).ordinal();
                        }
                    }

                    static MountTree tree() {
                        return MountTree.fileSystem("tmpfs", Map.of(), MountAttribute.NO_EXEC)
                                .with(MountAttribute.READ_ONLY, MountAttribute.NO_SUID);
                    }

                    static Stdio file(Path path) {
                        return Stdio.appendTo(path);
                    }

                    static UnixAddress address() {
                        return UnixAddress.ofKernelName("/run/socket");
                    }
                }
""";
        assertThat(
                        StrictConsumer.complaintsOfModule(
                                folder,
                                List.of(Fd.class),
                                Map.of("consumer/Consumer.java", source)))
                .isEmpty();
    }

    @Test
    void noSignatureHasATypeThatUsersCannotName() throws Exception {
        assertThat(StrictConsumer.hiddenTypes(Fd.class)).isEmpty();
    }
}
