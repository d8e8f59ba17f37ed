package io.holdfast.receiver;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.receiver.input.UnitSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * The settings of units, which a service manager writes into a folder when a run begins and removes
 * at its end: links named {@code SETTING:UNIT} whose targets are the values, and one file.
 *
 * <p>Only a folder is read in which no user but root and ours can write ({@link TrustedFolder}).
 * What was read is used again for {@link ReceiverLimits#SENDER_AGE}; at the end of a run its
 * settings stay for messages that come late. Owned by one thread.
 */
final class SettingsOfUnits {
    private static final int MOST_BYTES = 1 << 16; // of the file of fields
    private static final int MOST_FIELDS = 64;

    private record Seen(long readAt, UnitSettings settings) {
        boolean isOfRun(long since) {
            return readAt - since >= 0;
        }
    }

    private final Path folder;
    private final long age = ReceiverLimits.SENDER_AGE.duration().toNanos();
    private final Map<String, Seen> units = new Bounded<>();

    /**
     * @param folder that the service manager writes; it may be missing
     */
    SettingsOfUnits(Path folder) {
        this.folder = folder;
    }

    /**
     * Returns the settings of the unit's run, or of the last one.
     *
     * @param since when the sender was seen first: what was read before may be of an earlier run
     */
    UnitSettings of(String unit, long since) {
        long now = System.nanoTime();
        Seen before = units.get(unit);
        if (before != null && before.isOfRun(since) && now - before.readAt() < age) {
            return before.settings();
        }
        UnitSettings found = read(unit);
        UnitSettings settings = found;
        if (found.invocationId().isEmpty() && before != null) { // the run is over
            settings =
                    before.isOfRun(since)
                            ? before.settings()
                            : before.settings().withoutInvocation();
        }
        units.put(unit, new Seen(now, settings));
        return settings;
    }

    private UnitSettings read(String unit) {
        try (TrustedFolder _ = TrustedFolder.open(folder)) {
            String id = link("invocation:" + unit);
            return id.isEmpty()
                    ? UnitSettings.NONE
                    : UnitSettings.parse(
                            id,
                            link("log-level-max:" + unit),
                            link("log-rate-limit-interval:" + unit),
                            link("log-rate-limit-burst:" + unit),
                            fields(folder.resolve("log-extra-fields:" + unit)),
                            MOST_FIELDS);
        } catch (IOException | ErrnoException e) {
            return UnitSettings.NONE; // no manager, or none that is trusted
        }
    }

    private String link(String name) throws IOException {
        Path link = folder.resolve(name);
        return Files.isSymbolicLink(link) ? Files.readSymbolicLink(link).toString() : "";
    }

    private static byte[] fields(Path file) throws IOException {
        boolean isSmall = Files.isRegularFile(file) && Files.size(file) <= MOST_BYTES;
        return isSmall ? Files.readAllBytes(file) : "".getBytes(UTF_8);
    }
}
