package io.holdfast.manager.unit.condition;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** {@code ConditionSecurity=}: whether a security technology is in use. */
final class SecurityCondition {
    private static final int NETLINK_AUDIT = 9;
    private static final int EFI_ATTRIBUTES = 4; // bytes before the value of a variable

    private SecurityCondition() {}

    static boolean isUsed(String name, MachineFacts machine) throws IOException {
        return switch (name) {
            case "selinux" ->
                    machine.has("/sys/fs/selinux/enforce") && machine.has("/etc/selinux/config");
            case "smack" -> machine.has("/sys/fs/smackfs");
            case "apparmor" -> machine.text("/sys/module/apparmor/parameters/enabled").equals("Y");
            case "audit" -> hasAudit(machine);
            case "ima" -> machine.has("/sys/kernel/security/ima");
            case "tomoyo" -> machine.has("/sys/kernel/security/tomoyo/version");
            case "uefi-secureboot" ->
                    isOn(variable("SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", machine));
            case "tpm2" -> hasTpm(machine);
            case "cvm" -> isConfidential(machine);
            case "measured-uki" -> hasTpm(machine) && isMeasured(machine);
            default -> false;
        };
    }

    /** Returns whether the kernel serves netlink sockets of audit. */
    private static boolean hasAudit(MachineFacts machine) {
        return machine.text("/proc/net/netlink")
                .lines()
                .map(line -> line.split("\\s+"))
                .anyMatch(socket ->
                        socket.length > 1 && socket[1].equals(String.valueOf(NETLINK_AUDIT)));
    }

    /** Returns whether the kernel supports TPM 2.0 and the firmware has one. */
    private static boolean hasTpm(MachineFacts machine) {
        return machine.has("/sys/class/tpmrm")
                && FirmwareCondition.isUefi(machine)
                && (machine.has("/sys/firmware/acpi/tables/TPM2")
                        || machine.has("/sys/kernel/security/tpm0/binary_bios_measurements"));
    }

    /** Returns whether the memory of this virtual machine is hidden from its host. */
    private static boolean isConfidential(MachineFacts machine) {
        Set<String> features = HardwareConditions.features(machine);
        return machine.text("/sys/firmware/uv/prot_virt_guest").equals("1")
                || features.contains("tdx_guest")
                || (features.contains("hypervisor")
                        && (features.contains("sev")
                                || features.contains("sev_es")
                                || features.contains("sev_snp")));
    }

    /** Returns whether systemd-stub has measured the kernel image into register 11. */
    private static boolean isMeasured(MachineFacts machine) throws IOException {
        byte[] value = variable("StubPcrKernelImage-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", machine);
        StringBuilder text = new StringBuilder();
        for (int i = EFI_ATTRIBUTES; i + 1 < value.length && value[i] != 0; i += 2) {
            text.append((char) (value[i] & 0xff)); // UTF-16
        }
        return text.toString().equals("11");
    }

    private static boolean isOn(byte[] variable) {
        return variable.length > EFI_ATTRIBUTES && variable[EFI_ATTRIBUTES] == 1;
    }

    private static byte[] variable(String name, MachineFacts machine) throws IOException {
        Path file = machine.path("/sys/firmware/efi/efivars/" + name);
        return FirmwareCondition.isUefi(machine) && Files.exists(file)
                ? Files.readAllBytes(file)
                : new byte[0];
    }
}
