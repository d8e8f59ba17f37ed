package io.holdfast.authority.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.core.testkit.StrictConsumer;
import io.holdfast.dbus.BusConnection;
import io.holdfast.varlink.client.VarlinkClient;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.core.json.JsonFactory;

/** A program that is compiled strictly, with only our jars, can use every public class. */
@SameOnEveryKernel
class ConsumerCompilesTest {
    @TempDir Path folder;

    @Test
    void everyPublicClassCanBeUsedWithoutAWarning() throws Exception {
        assertThat(
                        StrictConsumer.complaintsAboutAll(
                                folder,
                                Authority.class,
                                Fd.class,
                                BusConnection.class,
                                VarlinkClient.class,
                                JsonFactory.class))
                .isEmpty();
    }

    @Test
    void noSignatureHasATypeThatUsersCannotName() throws Exception {
        assertThat(
                        StrictConsumer.hiddenTypes(
                                Authority.class,
                                Fd.class,
                                BusConnection.class,
                                VarlinkClient.class))
                .isEmpty();
    }
}
