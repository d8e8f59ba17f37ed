package io.holdfast.bus.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.bus.config.ConfigException;
import io.holdfast.bus.config.ServiceFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServicesTest {
    @TempDir private Path folder;

    @Test
    void aServiceIsReadFromItsFile() throws Exception {
        Path file =
                write(
                        "any.service",
                        """
                        # a comment
                        [Other]
                        Name=not.this
                        [D-BUS Service]
                        Name = a.b
                        Name[de]=x
                        Exec=/bin/prog --flag "two words"
                        User=daemon
                        SystemdService=unit.service
                        AssumedAppArmorLabel=/x
                        """);

        assertThat(ServiceFile.load(file, false, true))
                .isEqualTo(
                        new ServiceFile(
                                "a.b",
                                List.of("/bin/prog", "--flag", "two words"),
                                "daemon",
                                "unit.service",
                                file));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "a b  c | a,b,c",
                "a 'b c' | a,b c",
                "a 'b\"c' | a,b\"c",
                "a \"b'c\" | a,b'c",
                "a b\\ c | a,b c",
                "a \"b\\\"c\\n\" | a,b\"c\\n",
                "a 'b\\' c | a,b\\,c",
                "a'b'\"c\" '' | abc,",
                "a $HOME `b` ; c | a,$HOME,`b`,;,c",
            })
    void aCommandIsSplitAsAShellWould(String command, String words) throws Exception {
        Path file = write("a.b.service", service("Name=a.b\nExec=" + command));

        assertThat(ServiceFile.load(file, true, false).exec())
                .containsExactly(words.split(",", -1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "Exec=/bin/true",
                "Name=a.b",
                "Name=a.b\nExec=",
                "Name=a\nExec=/bin/true",
                "Name=:1.5\nExec=/bin/true",
                "Name=a.b\nExec='/bin/true",
                "Name=a.b\nExec=/bin/true\\",
                "Name=a.b\nnonsense",
                "Name=a.b\n[nonsense",
            })
    void aFileWithoutAServiceIsRefused(String content) {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() ->
                        ServiceFile.load(write("a.b.service", service(content)), false, false))
                .withMessageStartingWith(folder + "/a.b.service");
    }

    @Test
    void aFileIsNoLargerThanTheLimit() throws Exception {
        String content = service("Name=a.b\nExec=/bin/true\n#");
        String fits = content + "x".repeat(ServiceFile.MAX_SIZE - content.length());

        assertThat(ServiceFile.load(write("x.service", fits), false, false).name())
                .isEqualTo("a.b");
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> ServiceFile.load(write("x.service", fits + "x"), false, false));
    }

    @Test
    void aSystemBusNeedsAUserForAProgram() throws Exception {
        Path file = write("a.b.service", service("Name=a.b\nExec=/bin/true"));

        assertThat(ServiceFile.load(file, true, false).user()).isNull();
        Path withUser = write("a.d.service", service("Name=a.d\nExec=/bin/true\nUser=daemon"));
        assertThat(ServiceFile.load(withUser, true, true).user()).isEqualTo("daemon");
        assertThat(ServiceFile.load(withUser, true, false).user()).as("a session's").isNull();
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> ServiceFile.load(file, true, true))
                .withMessageContaining("User=");
        Path unit = write("a.c.service", service("Name=a.c\nSystemdService=c.service"));
        assertThat(ServiceFile.load(unit, true, true).exec()).isEmpty();
    }

    @Test
    void aUnitHasTheNameOfAUnit() throws Exception {
        for (String bad : List.of("a b.service", "../x.service", "a\0b", "x".repeat(256))) {
            Path file = write("a.b.service", service("Name=a.b\nSystemdService=" + bad));
            assertThatExceptionOfType(ConfigException.class)
                    .isThrownBy(() -> ServiceFile.load(file, true, true))
                    .withMessageContaining("a.b.service:3: SystemdService=");
        }
        String good = "dbus-x@a\\x2db:" + "c".repeat(200) + ".service";
        Path file = write("a.b.service", service("Name=a.b\nSystemdService=" + good));
        assertThat(ServiceFile.load(file, true, true).systemdService()).isEqualTo(good);
    }

    @Test
    void theFirstFolderWinsAndBadFilesAreSkipped() throws Exception {
        var _ = write("1/a.b.service", service("Name=a.b\nExec=/first"));
        var _ = write("1/x.service", service("Name=c.d\nExec=/misnamed"));
        var _ = write("1/ignored.txt", "");
        var _ = write("2/a.b.service", service("Name=a.b\nExec=/second"));
        var _ = write("2/x.service", service("Name=c.d\nExec=/loosely-named"));
        Files.write(folder.resolve("2/y.service"), new byte[] {(byte) 0xff});

        ActivatableServices services =
                ActivatableServices.load(
                        List.of(
                                new ServiceFolder(folder.resolve("absent"), true),
                                new ServiceFolder(folder.resolve("1"), true),
                                new ServiceFolder(folder.resolve("2"), false)),
                        false);

        assertThat(services.byName().values())
                .extracting(ServiceFile::exec)
                .containsExactly(List.of("/first"), List.of("/loosely-named"));
        assertThat(services.skipped())
                .satisfiesExactly(
                        line -> assertThat(line).contains("must be named c.d.service"),
                        line -> assertThat(line).contains("y.service: not UTF-8"));
    }

    @Test
    void theServicesOfThisMachineLoad() {
        Path standard = Path.of("/usr/share/dbus-1/system-services");
        ActivatableServices system =
                ActivatableServices.load(List.of(new ServiceFolder(standard, true)), true);

        assertThat(system.skipped()).isEmpty();
    }

    private static String service(String content) {
        return "[D-BUS Service]\n" + content;
    }

    private Path write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }
}
