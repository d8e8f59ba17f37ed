package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitEscape;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.value.TimeSpan;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A device, after systemd.device(5): it has no section, and is known by its path. */
public record DeviceUnit(UnitParts parts) implements Unit {
    /** How long a start waits for the device: the default of {@code JobRunningTimeoutSec=}. */
    private static final TimeSpan TIMEOUT = TimeSpan.seconds(90);

    private static final Map<String, String> TAGS =
            Map.of(
                    "UUID=", "by-uuid",
                    "LABEL=", "by-label",
                    "PARTUUID=", "by-partuuid",
                    "PARTLABEL=", "by-partlabel");

    static UnitFormat.OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        unit.withoutDefaults();
        unit.runningTimeout(TIMEOUT);
        return new UnitFormat.OwnSection(List.of(), draft -> new DeviceUnit(draft.parts()));
    }

    @Override
    public DeviceUnit with(UnitParts other) {
        return new DeviceUnit(other);
    }

    /** {@return the path below /dev or /sys that its name means} */
    public String path() {
        return MountUnit.pathOf(name()).orElse("/");
    }

    public static boolean isNode(String path) {
        return path.startsWith("/dev/") || path.startsWith("/sys/");
    }

    /** Returns the unit of a device; empty if the path is not that of a device. */
    static Optional<UnitName> of(String path) {
        return isNode(path)
                ? UnitName.parse(UnitEscape.escapePath(path) + ".device")
                : Optional.empty();
    }

    /** {@return the path of the device that a word of fstab(5) means, such as {@code UUID=1-2}} */
    public static String node(String what) {
        return TAGS.entrySet().stream()
                .filter(tag -> what.startsWith(tag.getKey()))
                .map(tag -> "/dev/disk/" + tag.getValue() + "/" + encoded(what, tag.getKey()))
                .findFirst()
                .orElse(what);
    }

    /** Encodes a value as udev encodes it in the name of a link. */
    private static String encoded(String what, String tag) {
        String value = what.substring(tag.length());
        if (value.length() > 1 && value.startsWith("\"") && value.endsWith("\"")) {
            value = value.substring(1, value.length() - 1);
        }
        StringBuilder encoded = new StringBuilder();
        for (byte b : value.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xFF);
            boolean plain =
                    c < 0x80 && (Character.isLetterOrDigit(c) || "#+-.:=@_".indexOf(c) >= 0);
            encoded.append(plain ? String.valueOf(c) : "\\x%02x".formatted((int) c));
        }
        return encoded.toString();
    }
}
