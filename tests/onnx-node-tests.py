#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ONNX's own operator tests through `fovea check`.

Usage: /usr/bin/python3 onnx-node-tests.py FOVEA EXCEPTIONS [DOCUMENT]

The cases come from the onnx package of this machine's python. Each is written
as a folder, in up to four forms, and counts as the first that passes:
  run time    all inputs arrive at run time
  constant    inputs that are not floats stand in the file, as exporters put
              shapes, axes and indices there
  parameters  all inputs but the first stand in the file, as weights do
  folded      all inputs stand in the file: C references alone, at load
Every case must pass on the C references and on the device, but for those that
EXCEPTIONS names with a reason; lines behind [onnx VERSION] there are for that
version alone. DOCUMENT holds a table of the counts for each version: fewer passes
than it says are a failure, more a note. --write puts the table there, and -v tells
every case.
"""
import collections
import os
import re
import subprocess
import sys
import tempfile
import warnings

SKIPPED = 77
FORMS = ('run time', 'constant', 'parameters', 'folded')
TYPES = (1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13)  # TensorProto.DataType
OLDEST_OPSET = 7
BEGIN = '<!-- onnx-node-tests -->\n'
END = '<!-- /onnx-node-tests -->\n'


def collect():
    """The cases; numpy dropped names that onnx 1.12 still uses."""
    warnings.filterwarnings('ignore')
    import numpy
    for name in ('float', 'int', 'bool', 'object', 'complex', 'str'):
        if name not in numpy.__dict__:
            setattr(numpy, name, __builtins__.__dict__[name])
    import onnx
    from onnx.backend.test.case.node import collect_testcases
    if collect_testcases.__code__.co_argcount:
        return onnx, collect_testcases(None)
    return onnx, collect_testcases()


def is_tensor(onnx, value, info):
    import numpy
    return (info.type.HasField('tensor_type')
            and info.type.tensor_type.elem_type in TYPES
            and isinstance(value, (numpy.ndarray, numpy.generic))
            and value.dtype != object)


def is_float(info):
    return info.type.tensor_type.elem_type in (1, 10, 11)


def write_tensor(onnx, value, name, path):
    import numpy
    tensor = onnx.numpy_helper.from_array(numpy.asarray(value), name)
    with open(path, 'wb') as file:
        file.write(tensor.SerializeToString())


def write_form(onnx, case, form, folder):
    """False where the form says nothing that an earlier one does not."""
    import numpy
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    graph = model.graph
    inputs, outputs = case.data_sets[0]
    # the same operators at opset 7, for none of them changed up to there
    for opset in model.opset_import:
        if not opset.domain:
            opset.version = max(opset.version, OLDEST_OPSET)
    fixed = [form == 'folded' or form == 'constant' and not is_float(info)
             or form == 'parameters' and i > 0
             for i, info in enumerate(graph.input)]
    if form in ('constant', 'parameters') and (not any(fixed) or all(fixed)):
        return False
    kept = []
    for info, value, is_fixed in zip(list(graph.input), inputs, fixed):
        if is_fixed:
            graph.initializer.append(onnx.numpy_helper.from_array(
                numpy.asarray(value), info.name))
        else:
            kept.append((info, value))
    infos = [onnx.ValueInfoProto.FromString(i.SerializeToString())
             for i, _ in kept]
    del graph.input[:]
    graph.input.extend(infos)
    data = os.path.join(folder, 'test_data_set_0')
    os.makedirs(data)
    for i, (info, value) in enumerate(zip(infos, (v for _, v in kept))):
        write_tensor(onnx, value, info.name, f'{data}/input_{i}.pb')
    for i, (info, value) in enumerate(zip(graph.output, outputs)):
        write_tensor(onnx, value, info.name, f'{data}/output_{i}.pb')
    with open(os.path.join(folder, 'model.onnx'), 'wb') as file:
        file.write(model.SerializeToString())
    return True


def write_all(onnx, cases, scratch):
    """name -> {form: folder}, and name -> reason for what has no tensors."""
    folders, reasons = {}, {}
    for case in cases:
        graph = case.model.graph
        name = case.name
        while name in folders or name in reasons:
            name += '_again'  # onnx has some names twice
        if not all(is_tensor(onnx, value, info) for values, infos in
                   zip(case.data_sets[0], (graph.input, graph.output))
                   for value, info in zip(values, infos)):
            reasons[name] = 'strings, sequences, optionals or 16-bit brain floats'
            continue
        folders[name] = {}
        for form in FORMS:
            folder = os.path.join(scratch, form.replace(' ', '-'), name)
            if write_form(onnx, case, form, folder):
                folders[name][form] = folder
    return folders, reasons


def check(fovea, folders, device):
    """folder -> None where it passes, else what went wrong."""
    results, left = {}, list(folders)
    while left:
        run = subprocess.run([fovea, 'check', '--precision', 'f32', *device, *left],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, errors='replace', timeout=600)
        known, current = set(left), None
        for line in run.stdout.splitlines():
            if line in known:
                current = line
                results[current] = None
            elif line.startswith('  FAIL') and not results.get(current):
                results[current] = line[6:].strip()
        if run.returncode not in (0, 1):
            results[current or left[0]] = 'ends the process: ' + (
                run.stderr.strip().splitlines() or [str(run.returncode)])[-1]
        left = [folder for folder in left if folder not in results]
    return results


def run_forms(fovea, folders, device):
    """name -> (form, None) of the first form that passes, or (None, reason)."""
    results, problems = {}, {}
    for form in FORMS:
        names = [name for name in folders
                 if form in folders[name] and name not in results]
        got = check(fovea, [folders[name][form] for name in names], device)
        for name in names:
            problem = got[folders[name][form]]
            if problem is None:
                results[name] = (form, None)
            elif name not in problems or re.search('data set', problem):
                problems[name] = problem
    for name in folders:
        results.setdefault(name, (None, problems.get(name)))
    return results


def read_exceptions(path, version):
    """name -> reason, and those that another version knows alone."""
    exceptions, section = {}, version
    with open(path, encoding='utf-8') as file:
        for line in file:
            line = line.split('#')[0].strip()
            if re.fullmatch(r'\[onnx .*\]', line):
                section = line[6:-1]
            elif line and version.startswith(section):
                name, reason = line.split(None, 1)
                exceptions[name] = reason
    return exceptions


def table(version, total, tensors, results):
    rows = [f'The {total} node cases of onnx {version}, of which {tensors} have '
            'tensors alone, of types that we know. Each counts in the first row '
            'that fits:\n\n',
            '| | C references | device |\n| --- | --- | --- |\n']
    for form, text in zip(FORMS + (None,), (
            'pass with all inputs at run time',
            'pass with integers and bools in the file',
            'pass with all but the first input in the file',
            'pass with all inputs in the file (folded at load)',
            'refused or other results, see `tests/onnx-node-tests.txt`')):
        counts = [sum(form == f for f, _ in found.values())
                  for found in results.values()]
        rows.append(f'| {text} | {counts[0]} | {counts[1]} |\n')
    return ''.join(rows)


def passes(text):
    """Of each column how many pass in the first form, the first two, ..."""
    rows = [[int(n) for n in row] for row in
            re.findall(r'^\| pass .* \| (\d+) \| (\d+) \|$', text, re.M)]
    return [sum(row[column] for row in rows[:n + 1])
            for column in (0, 1) for n in range(len(rows))]


def split_tables(block):
    """version -> its table"""
    tables = re.split(r'(?m)^(?=The \d+ node cases of onnx )', block)
    return {re.search(r'onnx ([\d.]*\d)', text).group(1): text.strip() + '\n'
            for text in tables if text.strip()}


def compare_document(path, version, text, write):
    with open(path, encoding='utf-8') as file:
        document = file.read()
    before, rest = document.split(BEGIN)
    block, after = rest.split(END)
    tables = split_tables(block)
    old = tables.get(version)
    if write:
        tables[version] = text
        block = '\n'.join(tables[v] for v in sorted(tables))
        with open(path, 'w', encoding='utf-8') as file:
            file.write(before + BEGIN + block + END + after)
        return True
    if old == text:
        return True
    print(f'{path} says\n{old}but it is\n{text}')
    fewer = any(new < said for new, said in zip(passes(text), passes(old)))
    print('That is less.' if fewer else 'That is more: run with --write.')
    return not fewer


def counts_version(path, version):
    with open(path, encoding='utf-8') as file:
        return version in split_tables(
            file.read().split(BEGIN)[1].split(END)[0])


def main(arguments):
    verbose, write = '-v' in arguments, '--write' in arguments
    fovea, exceptions_path, *document = [a for a in arguments if a[0] != '-']
    try:
        onnx, cases = collect()
    except ImportError as error:
        print(f'skipped: {error}')
        return SKIPPED
    if document and not write and not counts_version(document[0],
                                                     onnx.__version__):
        print(f'skipped: {document[0]} does not count the cases of onnx '
              f'{onnx.__version__}')
        return SKIPPED
    exceptions = read_exceptions(exceptions_path, onnx.__version__)
    with tempfile.TemporaryDirectory(prefix='fovea-nodes-') as scratch:
        folders, reasons = write_all(onnx, cases, scratch)
        results = {'references': run_forms(fovea, folders,
                                           ['--device', 'reference']),
                   'device': run_forms(fovea, folders, [])}
        results = {d: {n: (f, p and p.replace(scratch + '/', ''))
                       for n, (f, p) in r.items()} for d, r in results.items()}
    good = True
    for device, found in results.items():
        for name, (form, problem) in sorted(found.items()):
            if verbose:
                print(f'{device}: {name}: {form or problem}')
            if form is None and name not in exceptions:
                print(f'{device}: {name} does not pass: {problem}')
                good = False
    for name in sorted(exceptions):
        if name in folders and all(found[name][0] for found in results.values()):
            print(f'{name} passes now; take it out of {exceptions_path}')
    text = table(onnx.__version__, len(cases), len(folders), results)
    print(text, end='')
    for reason, count in collections.Counter(reasons.values()).items():
        print(f'not run: {count}, {reason}')
    if document:
        good &= compare_document(document[0], onnx.__version__, text, write)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
