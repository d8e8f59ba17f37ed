package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.sys.Unistd;
import io.holdfast.journal.Entry;
import io.holdfast.journal.Field;
import io.holdfast.journal.JournalReader;
import io.holdfast.journal.JournalWriter;
import io.holdfast.journal.WriterOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the unit with which a line is printed. */
class UnitMessagesTest {
    @TempDir private Path folder;

    @Test
    void anotherUsersUnitIsNamedLikeTheUnitOfThatUsersManager() throws Exception {
        String me = Long.toString(Unistd.geteuid());
        Path file = folder.resolve("system.journal");
        try (JournalWriter writer = JournalWriter.open(file, WriterOptions.standard())) {
            for (String user : List.of(me, "61001")) {
                long _ =
                        writer.append(
                                List.of(
                                        Field.of("MESSAGE", "a line"),
                                        Field.of("_UID", user),
                                        Field.of("_SYSTEMD_OWNER_UID", user),
                                        Field.of("_SYSTEMD_UNIT", "user@" + user + ".service"),
                                        Field.of("_SYSTEMD_USER_UNIT", "nginx.service")));
            }
        }
        List<Optional<String>> units = new ArrayList<>();
        try (JournalReader reader = JournalReader.openFile(file)) {
            for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
                units.add(UnitMessages.unitOf(entry));
            }
        }
        assertThat(units)
                .containsExactly(Optional.of("nginx.service"), Optional.of("user@61001.service"));
    }
}
