package io.holdfast.manager.unit.condition;

import io.holdfast.manager.unit.host.Virtualization;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.WordReader;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code ConditionFirmware=}: the interfaces and fields of the machine's firmware. */
final class FirmwareCondition {
    private static final Pattern CALL =
            Pattern.compile("(device-tree-compatible|smbios-field)\\((.*)", Pattern.DOTALL);
    private static final Pattern FIELD = Pattern.compile("([^<>=!$]+)([<>=!$].*)", Pattern.DOTALL);

    private FirmwareCondition() {}

    static boolean isFirmware(String parameter, MachineFacts machine) {
        Matcher call = CALL.matcher(parameter);
        if (call.matches()) {
            boolean compatible = call.group(1).startsWith("device");
            if (!call.group(2).endsWith(")")) {
                if (compatible) {
                    return false;
                }
                throw Scalars.bad("smbios-field(NAME=VALUE)", parameter);
            }
            String argument = call.group(2).substring(0, call.group(2).length() - 1);
            return compatible ? isCompatible(argument, machine) : hasField(argument, machine);
        }
        return switch (parameter) {
            case "device-tree" -> machine.has("/sys/firmware/devicetree");
            case "uefi" -> isUefi(machine);
            default -> false;
        };
    }

    /** Returns whether UEFI firmware has booted the machine; a container has none. */
    static boolean isUefi(MachineFacts machine) {
        return machine.host().virtualization().kind() != Virtualization.Kind.CONTAINER
                && machine.has("/sys/firmware/efi");
    }

    private static boolean isCompatible(String name, MachineFacts machine) {
        return Arrays.asList(machine.text("/proc/device-tree/compatible").split("\0", -1))
                .contains(name);
    }

    private static boolean hasField(String expression, MachineFacts machine) {
        Matcher parts = FIELD.matcher(expression);
        Comparison comparison = Comparison.parse(parts.matches() ? parts.group(2) : "");
        WordReader words = new WordReader(comparison.operand(), WordReader.Backslash.LITERAL_NEXT);
        String expected = words.next();
        String name = parts.matches() ? parts.group(1).strip() : "";
        if (comparison.operator().isEmpty()
                || expected == null
                || words.next() != null
                || !SystemConditions.isFileName(name)) {
            throw Scalars.bad("a comparison of a field of SMBIOS", expression);
        }
        String file = "/sys/class/dmi/id/" + name;
        return machine.has(file)
                && new Comparison(comparison.operator(), expected).holdsForText(machine.text(file));
    }
}
