package io.holdfast.manager.unit.settings;

/** Actions by which the manager stops the machine, a container or itself. */
public enum EmergencyAction {
    NONE,
    EXIT,
    EXIT_FORCE,
    REBOOT,
    REBOOT_FORCE,
    REBOOT_IMMEDIATE,
    POWEROFF,
    POWEROFF_FORCE,
    POWEROFF_IMMEDIATE,
    HALT,
    HALT_FORCE,
    HALT_IMMEDIATE,
    KEXEC,
    KEXEC_FORCE,
    SOFT_REBOOT,
    SOFT_REBOOT_FORCE
}
