package io.holdfast.varlink;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.holdfast.core.testkit.PackageOrder;
import io.holdfast.core.testkit.SameOnEveryKernel;
import org.junit.jupiter.api.Test;

/**
 * The allowed imports between the packages of holdfast-varlink: JSON values, interface definitions,
 * the types that client and server share (the root), then the wire format, and above that the
 * client and the server.
 */
@SameOnEveryKernel
class FloorsTest {
    private static final String ROOT = "io.holdfast.varlink";

    private static final JavaClasses VARLINK =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages(ROOT);

    private static final PackageOrder ORDER = new PackageOrder(ROOT, VARLINK);

    @Test
    void allOfVarlinkIsLookedAt() {
        assertThat(VARLINK.stream().map(JavaClass::getPackageName).distinct())
                .containsExactlyInAnyOrder(
                        ROOT,
                        ROOT + ".client",
                        ROOT + ".idl",
                        ROOT + ".idl.tree",
                        ROOT + ".json",
                        ROOT + ".json.text",
                        ROOT + ".server",
                        ROOT + ".typed",
                        ROOT + ".wire");
    }

    @Test
    void eachUsesOnlyThoseBelow() {
        // idl.tree and json.text are the insides of idl and json, in packages that are not exported
        ORDER.assertUsesOnly("json", "json.text");
        ORDER.assertUsesOnly("json.text", "json");
        ORDER.assertUsesOnly("idl", "idl.tree", "json");
        ORDER.assertUsesOnly("idl.tree", "idl", "json", "json.text");
        ORDER.assertUsesOnly("", "idl", "idl.tree", "json");
        ORDER.assertUsesOnly("wire", "", "idl", "idl.tree", "json", "json.text");
        ORDER.assertUsesOnly("server", "wire", "", "idl", "idl.tree", "json", "json.text");
        ORDER.assertUsesOnly("client", "wire", "", "idl", "idl.tree", "json", "json.text");
        ORDER.assertUsesOnly("typed", "server", "client", "", "idl", "idl.tree", "json");
    }
}
