package io.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.Feature;
import io.holdfast.core.testkit.Needs;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DoctorCommandTest {
    @Test
    void everyFeatureIsThereOrHasItsFallbackNamed() {
        Invocation doctor = Invocation.of("doctor");

        assertThat(doctor.code()).isZero();
        assertThat(doctor.out())
                .contains("kernel      Linux " + System.getProperty("os.version"), "libc        ");
        for (Feature feature : Feature.values()) {
            assertThat(doctor.out())
                    .contains(
                            (feature.isPresent() ? "yes  " : "no   ")
                                    + feature.what()
                                    + ", "
                                    + feature.since());
            if (!feature.isPresent()) {
                assertThat(doctor.out()).contains("instead: " + feature.fallback());
            }
        }
    }

    @Test
    @Needs(root = true, cgroup2 = true, programs = "setpriv")
    void whatServicesCannotHaveIsToldWithTheReason() throws Exception {
        List<String> words =
                new ArrayList<>(List.of("setpriv", "--bounding-set=-bpf,-net_admin,-sys_admin"));
        words.addAll(Program.command(List.of(), "doctor"));
        assertThat(Program.run(new ProcessBuilder(words)).out())
                .containsPattern("(?m)^bpf +devices and addresses .*: BPF programs are refused: ");
    }

    @Test
    void whatAnAuthorityFindsIsTold() {
        assertThat(Invocation.of("doctor").out())
                .containsPattern("(?m)^system bus  /\\S+, (not )?reachable")
                .containsPattern("(?m)^actions     \\d+ files")
                .containsPattern("(?m)^rules       \\d+ files")
                .containsPattern("(?m)^pam         .*(service|no service) ")
                .containsPattern("(?m)^helper      \\S+");
    }

    @Test
    void aHiddenFeatureIsSaidToBeHidden() throws Exception {
        Program doctor =
                Program.run(
                        new ProcessBuilder(
                                Program.command(
                                        List.of("-Dio.holdfast.without=PIDFD_INFO"), "doctor")));

        assertThat(doctor.code()).isZero();
        assertThat(doctor.out())
                .contains(
                        "no   PIDFD_GET_INFO, Linux 6.13\n"
                                + "       hidden by io.holdfast.without; instead: "
                                + Feature.PIDFD_INFO.fallback());
    }

    @Test
    void whatNothingReplacesIsAFailure() throws Exception {
        Program doctor =
                Program.run(
                        new ProcessBuilder(
                                Program.command(
                                        List.of("-Dio.holdfast.without=WAIT_PIDFD"), "doctor")));

        assertThat(doctor.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(doctor.out()).contains("cannot run on this machine");
    }

    @Test
    void theShapeOfItsJsonStays() {
        String json = Invocation.of("doctor", "--json").out();

        assertThat(json)
                .hasLineCount(1)
                .startsWith("{\"fit\":true,\"machine\":{\"kernel\":\"Linux ")
                .contains(
                        "\"features\":[{\"name\":\"PIDFD_OPEN\",\"what\":\"pidfd_open\","
                                + "\"present\":true,\"hidden\":false,\"since\":\"Linux 5.3\","
                                + "\"fallback\":\"none: Holdfast needs it\"},");
    }
}
