package io.holdfast.fuzz;

import io.holdfast.authority.action.CatalogueTarget;
import io.holdfast.authority.action.PolicyFileTarget;
import io.holdfast.authority.rules.engine.RulesTarget;
import io.holdfast.bus.config.BusConfigTarget;
import io.holdfast.bus.service.ServiceFileTarget;
import io.holdfast.core.process.ProcessNameTarget;
import io.holdfast.core.text.PrintableTextTarget;
import io.holdfast.dbus.address.AddressTarget;
import io.holdfast.dbus.generate.IntrospectionTarget;
import io.holdfast.dbus.marshal.MessageTarget;
import io.holdfast.dbus.marshal.SignatureTarget;
import io.holdfast.dbus.wire.match.MatchRuleTarget;
import io.holdfast.dbus.wire.sasl.SaslTarget;
import io.holdfast.journal.JournalExportTarget;
import io.holdfast.journal.JournalFileTarget;
import io.holdfast.manager.notify.NotifyMessageTarget;
import io.holdfast.manager.systemd1.property.TransientUnitTarget;
import io.holdfast.manager.unit.fstab.FstabTarget;
import io.holdfast.manager.unit.section.UnitFileTarget;
import io.holdfast.manager.unit.value.UnitValueTarget;
import io.holdfast.receiver.input.LogInputTarget;
import io.holdfast.receiver.input.LogMessageTarget;
import io.holdfast.varlink.VarlinkAddressTarget;
import io.holdfast.varlink.idl.tree.IdlTarget;
import io.holdfast.varlink.json.JsonTarget;
import io.holdfast.varlink.wire.FrameTarget;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The fuzz targets. Each is a class in the package of its parser with the method that Jazzer calls
 * for an input, and has kept inputs in the folder {@code corpus/NAME} of this module: seeds, and
 * inputs that once found a fault.
 */
enum Target {
    MESSAGE(MessageTarget.class, MessageTarget::fuzzerTestOneInput, 2),
    SIGNATURE(SignatureTarget.class, SignatureTarget::fuzzerTestOneInput, 1),
    SASL(SaslTarget.class, SaslTarget::fuzzerTestOneInput, 1),
    MATCH_RULE(MatchRuleTarget.class, MatchRuleTarget::fuzzerTestOneInput, 1),
    ADDRESS(AddressTarget.class, AddressTarget::fuzzerTestOneInput, 1),
    INTROSPECTION(IntrospectionTarget.class, IntrospectionTarget::fuzzerTestOneInput, 1),
    JSON(JsonTarget.class, JsonTarget::fuzzerTestOneInput, 1),
    FRAME(FrameTarget.class, FrameTarget::fuzzerTestOneInput, 1),
    IDL(IdlTarget.class, IdlTarget::fuzzerTestOneInput, 1),
    VARLINK_ADDRESS(VarlinkAddressTarget.class, VarlinkAddressTarget::fuzzerTestOneInput, 1),
    BUS_CONFIG(BusConfigTarget.class, BusConfigTarget::fuzzerTestOneInput, 1),
    SERVICE_FILE(ServiceFileTarget.class, ServiceFileTarget::fuzzerTestOneInput, 1),
    UNIT_FILE(UnitFileTarget.class, UnitFileTarget::fuzzerTestOneInput, 2),
    UNIT_VALUE(UnitValueTarget.class, UnitValueTarget::fuzzerTestOneInput, 1),
    TRANSIENT_UNIT(TransientUnitTarget.class, TransientUnitTarget::fuzzerTestOneInput, 2),
    FSTAB(FstabTarget.class, FstabTarget::fuzzerTestOneInput, 1),
    NOTIFY_MESSAGE(NotifyMessageTarget.class, NotifyMessageTarget::fuzzerTestOneInput, 1),
    LOG_INPUT(LogInputTarget.class, LogInputTarget::fuzzerTestOneInput, 1),
    LOG_MESSAGE(LogMessageTarget.class, LogMessageTarget::fuzzerTestOneInput, 1),
    POLICY_FILE(PolicyFileTarget.class, PolicyFileTarget::fuzzerTestOneInput, 1),
    CATALOGUE(CatalogueTarget.class, CatalogueTarget::fuzzerTestOneInput, 1),
    RULES(RulesTarget.class, RulesTarget::fuzzerTestOneInput, 5),
    PRINTABLE_TEXT(PrintableTextTarget.class, PrintableTextTarget::fuzzerTestOneInput, 1),
    PROCESS_NAME(ProcessNameTarget.class, ProcessNameTarget::fuzzerTestOneInput, 1),
    JOURNAL_FILE(JournalFileTarget.class, JournalFileTarget::fuzzerTestOneInput, 5),
    JOURNAL_EXPORT(JournalExportTarget.class, JournalExportTarget::fuzzerTestOneInput, 1);

    /** The kept inputs of all targets. */
    static final Path CORPUS = Path.of("corpus").toAbsolutePath();

    private final Class<?> type;
    private final Bounds.Check check;
    private final int share;

    /**
     * @param share the part of a long run's time: more for large or slow targets
     */
    Target(Class<?> type, Bounds.Check check, int share) {
        this.type = type;
        this.check = check;
        this.share = share;
    }

    /** Returns the class that Jazzer runs. */
    Class<?> type() {
        return type;
    }

    /** Returns its number of shares of a long run's time. */
    int share() {
        return share;
    }

    /** Returns the folder of its kept inputs. */
    Path corpus() {
        return CORPUS.resolve(toString());
    }

    /** Returns its kept inputs. */
    List<Path> inputs() {
        try (Stream<Path> files = Files.list(corpus())) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs the target on one input. */
    void run(byte[] input) throws Exception {
        check.accept(input);
    }

    /** Returns the name in lower case with hyphens. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
