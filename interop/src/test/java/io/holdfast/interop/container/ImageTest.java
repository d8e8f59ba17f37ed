package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * The image of {@code scripts/image}, on a Debian of the least packages: no systemd, no polkit, no
 * Java.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@EnabledIfSystemProperty(named = "holdfast.long", matches = "true")
@Timeout(1200)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"crun", "unshare", "nsenter", "debootstrap"})
class ImageTest {
    private static final long MAX_KIB = 130 << 10;

    /** Unpacks the layers of an OCI layout, whose manifest names them in order. */
    private static final String UNPACK =
            """
            set -e
            mkdir "$2" "$3"
            tar -C "$2" -xf "$1"
            digest() { grep -o '"digest":"sha256:[0-9a-f]*"' "$1" | grep -o '[0-9a-f]\\{64\\}'; }
            manifest=$2/blobs/sha256/$(digest "$2/index.json")
            digest "$manifest" | tail -n +2 | while read -r layer; do
                echo "$layer"
                tar -C "$3" -xzf "$2/blobs/sha256/$layer"
            done
            """;

    /** Builds an image as docs/containers.md shows, and prints the folder of its files. */
    private static final String CONTAINERFILE =
            """
            set -e
            cd "$1"
            buildah() { command buildah --root "$PWD/storage" --runroot "$PWD/running" --storage-driver vfs "$@"; }
            limit() { hard=$(ulimit -H "-$1"); [ "$hard" != unlimited ] || hard=-1; echo "$hard"; }
            buildah pull -q oci-archive:image.tar >&2
            base=$(buildah from scratch)
            tar -C debian -cf debian.tar .
            buildah add -q "$base" debian.tar / >&2
            buildah commit -q --rm "$base" localhost/debian >&2
            cat >Containerfile <<'END'
            FROM localhost/holdfast AS holdfast
            FROM localhost/debian
            COPY --from=holdfast / /
            COPY web.service /etc/systemd/system/
            RUN holdfast enable web
            ENTRYPOINT ["holdfast", "init"]
            END
            mkdir context
            cp web.service context/
            buildah build -q --isolation chroot --ulimit "nofile=$(limit n)" --ulimit "nproc=$(limit u)" \\
                --tag web --file Containerfile context >&2
            buildah mount "$(buildah from localhost/web)"
            """;

    private static final String SERVICE =
            """
            [Service]
            ExecStart=/bin/sleep infinity
            [Install]
            WantedBy=multi-user.target
            """;

    @TempDir private static Path folder;
    private Path debian;
    private Path layer;

    @BeforeAll
    void build() throws Exception {
        debian = folder.resolve("debian");
        layer = folder.resolve("layer");
        String _ = run("debootstrap", "--variant=minbase", "stable", debian.toString());
        String _ = image("image.tar");
        List<String> _ = unpack("image.tar", layer);
    }

    /** Its many links would each be reported when the temporary folder is deleted. */
    @AfterAll
    void remove() throws Exception {
        String _ = run("rm", "-rf", debian.toString(), folder.resolve("storage").toString());
    }

    private String image(String name) throws Exception {
        return run("../scripts/image", folder.resolve(name).toString());
    }

    /** Returns the digests of the layers. */
    private List<String> unpack(String name, Path target) throws Exception {
        Path oci = Path.of(target + ".oci");
        return run("sh", "-c", UNPACK, "sh", "" + folder.resolve(name), "" + oci, "" + target)
                .lines()
                .toList();
    }

    private String run(String... command) throws Exception {
        Path log = folder.resolve("log");
        try (Child child =
                Spawn.of(List.of(command))
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.to(log))
                        .stderr(Stdio.merged())
                        .start()) {
            assertThat(child.await()).as(() -> read(log)).isEqualTo(new Exit.Exited(0));
        }
        return read(log);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void itIsAtMost130MebibytesLarge() throws Exception {
        long kib = Long.parseLong(run("du", "-sk", layer.toString()).split("\t", 2)[0]);
        assertThat(kib).isLessThanOrEqualTo(MAX_KIB);
    }

    @Test
    void theFirstLayerIsTheSameInEachBuild() throws Exception {
        List<String> first = unpack("image.tar", folder.resolve("first"));
        String _ = image("again.tar");
        List<String> again = unpack("again.tar", folder.resolve("again"));
        assertThat(first).hasSize(2);
        assertThat(again.getFirst()).isEqualTo(first.getFirst());
    }

    @Test
    void itBootsWhatTheImageEnables() throws Exception {
        Path enabled = folder.resolve("enabled");
        Path units = Files.createDirectories(enabled.resolve("etc/systemd/system"));
        Files.writeString(units.resolve("web.service"), SERVICE);
        Path wants = Files.createDirectory(units.resolve("multi-user.target.wants"));
        Path _ = Files.createSymbolicLink(wants.resolve("web.service"), Path.of("../web.service"));
        assertBoots("container", List.of(enabled, layer, debian));
    }

    @Test
    @Needs(programs = "buildah")
    void aContainerfileCopiesItIntoAnImage() throws Exception {
        Files.writeString(folder.resolve("web.service"), SERVICE);
        String lines = run("bash", "-c", CONTAINERFILE, "bash", folder.toString());
        assertBoots("built", List.of(Path.of(lines.strip().lines().toList().getLast())));
    }

    private static void assertBoots(String name, List<Path> layers) throws Exception {
        try (PlainContainer container =
                PlainContainer.ofLayers(
                        PlainContainer.Setting.DEFAULT,
                        Files.createDirectory(folder.resolve(name)),
                        layers,
                        "holdfast",
                        "init")) {
            container.init().await("holdfast: ready");
            assertThat(container.run("holdfast status web")).contains("active (running)");
            assertThat(container.run("holdfast status polkit || true")).contains("inactive");
            String maps = "cat /proc/[0-9]*/maps 2>/dev/null | grep -o '[a-z]*[.]aot' | sort -u";
            assertThat(container.run(maps)).isEqualTo("up.aot");
            container.end();
        }
    }
}
