package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Runs systemctl(1) as a user.
 *
 * @param environment tells it where the manager is
 */
record Systemctl(Map<String, String> environment) {
    /** Uses the private socket of a stage's manager. */
    static Systemctl of(Stage stage) {
        return new Systemctl(Map.of("XDG_RUNTIME_DIR", stage.runtimeDirectory().toString()));
    }

    /** Uses a bus. */
    static Systemctl onBus(String address) {
        return new Systemctl(
                Map.of("DBUS_SESSION_BUS_ADDRESS", address, "SYSTEMCTL_FORCE_BUS", "1"));
    }

    Tool run(String... words) throws Exception {
        List<String> command = new ArrayList<>(List.of("systemctl", "--user", "--no-pager"));
        command.addAll(List.of(words));
        return Tool.run(environment, command.toArray(String[]::new));
    }

    /** Returns its output, after it has exited with this status. */
    String expect(int status, String... words) throws Exception {
        Tool ran = run(words);
        assertThat(ran.status()).as("%s: %s", List.of(words), ran.output()).isEqualTo(status);
        return ran.output();
    }
}
