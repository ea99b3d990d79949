"""What people call the functions, arguments and quantities of the three exercises: the course, this project, others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from parity.grade.mentions import bodies_of, words
from parity.grade.record import Function, Inventory, Source

FUNCTIONS: dict[str, str] = {
    "forward": "forward forwardpropagation forwardprop forwardpass propagateforward feedforward fprop lmodelforward "
    "modelforward lforward fullforward forwardall networkforward deepforward forwardpropagate forwarddeep predictproba "
    "fullforwardpropagation computeactivation computeactivations hypothesis forwardpropagationdeep "
    "fwd net computea computeoutput",
    "cost": "cost computecost loss computeloss costfunction lossfunction crossentropy crossentropycost "
    "crossentropyloss binarycrossentropy bce bceloss logloss getcost calculatecost calccost calcloss calculateloss "
    "costfn lossfn getcostvalue "
    "crossentropyofprobabilities j computej costcrossentropy",
    "backward": "backward backwardpropagation backwardprop backprop backpropagation backpropagate backwardpass bprop "
    "lmodelbackward modelbackward lbackward backwardall networkbackward deepbackward computebackward "
    "fullbackwardpropagation backwardpropagationdeep backwarddeep bwd backpropogation",
    "gradients": "gradients gradient grads grad propagate costandgradients costandgradient costandgrads costandgrad "
    "costgradients costgrad computegradients computegradient computegrads computegrad getgradients getgrads "
    "calculategradients calculategradient valueandgrad lossandgradients lossandgrads lossandgrad forwardbackward "
    "forwardandbackward fullpass calcgradients calcgrads propagation autograd",
    "update": "update updateparameters updateparams updateweights gradientdescentstep gradientdescentupdate step "
    "applygradients applygrads sgdstep updateparametersgd sgdupdate updateparameterswithgd takestep gdstep "
    "paramsupdate descend updatestep",
    "train": "train nnmodel optimize fit gradientdescent llayermodel twolayermodel trainmodel trainnetwork batchgd gd "
    "optimise optimizer training learn rungradientdescent trainnn trainnet shallowmodel deepmodel dnnmodel",
    "predict": "predict predictions prediction makepredictions classify predictlabels predictclass",
    "initialize": "initialize initializeparameters initializewithzeros initializeparametersdeep initialise "
    "initialiseparameters initparameters initparams init initializeparams initweights initializeweights randominit "
    "random zeros initializeparametersrandom initializeparametershe initializeparameterszeros initzeros initialparams "
    "initnetwork initializezeros initializerandom initializewithrandom initializenetwork initializedeep initialization "
    "initialisation initializeparametersnn parameterinitialization initparamsdeep",
    "layer_sizes": "layersizes getlayersizes layerdims layersize",
    "model": "model logisticregression logisticmodel",
    "linear_forward": "linearforward forwardlinear lineartransform linear affineforward",
    "linear_activation_forward": "linearactivationforward layerforward forwardlayer activationforward "
    "singlelayerforward forwardblock onelayerforward linearforwardactivation",
    "linear_backward": "linearbackward backwardlinear affinebackward",
    "linear_activation_backward": "linearactivationbackward linearbackwardactivation layerbackward backwardlayer "
    "activationbackward singlelayerbackward backwardblock onelayerbackward",
    "sigmoid": "sigmoid sigma logistic sig sigm logisticfunction sigmoidfunction expit sigmoidactivation",
    "tanh": "tanh hyperbolictangent tanhactivation mytanh",
    "relu": "relu rectifier rectifiedlinear reluactivation rectifiedlinearunit",
    "leaky_relu": "leakyrelu lrelu leakyrectifier leakyreluactivation",
    "sigmoid_derivative": "sigmoidderivative sigmoidprime dsigmoid sigmoidgrad sigmoidgradient dersigmoid sigmoidderiv "
    "derivativesigmoid derivsigmoid gradsigmoid sigmoidd sigmaprime",
    "tanh_derivative": "tanhderivative tanhprime dtanh tanhgrad tanhgradient tanhderiv derivativetanh derivtanh "
    "gradtanh",
    "relu_derivative": "reluderivative reluprime drelu relugrad relugradient reluderiv derivativerelu derivrelu "
    "gradrelu",
    "leaky_relu_derivative": "leakyreluderivative leakyreluprime dleakyrelu leakyrelugrad leakyrelugradient "
    "leakyreluderiv derivativeleakyrelu dlrelu gradleakyrelu",
    "sigmoid_backward": "sigmoidbackward backwardsigmoid sigmoidbackprop",
    "relu_backward": "relubackward backwardrelu relubackprop",
    "tanh_backward": "tanhbackward backwardtanh tanhbackprop",
    "leaky_relu_backward": "leakyrelubackward backwardleakyrelu",
}
"""By role, the functions' names in lower case without underscores; the likeliest first."""

ACTIVATIONS = tuple(
    f"{name}{what}" for name in ("sigmoid", "tanh", "relu", "leaky_relu") for what in ("", "_derivative", "_backward")
)
FUNCTIONS_G = frozenset({"sigmoid", "tanh", "relu", "leaky_relu"})
OF_A_CLASS = frozenset({"forward", "cost", "backward", "gradients", "update", "train", "predict", "initialize"})

BELONGS: dict[str, str] = {
    "logistic": "propagate initializewithzeros optimize model logisticregression logisticmodel optimise",
    "shallow": "layersizes nnmodel forwardpropagation backwardpropagation twolayermodel shallowmodel",
    "deep": "lmodelforward lmodelbackward initializeparametersdeep linearforward linearactivationforward "
    "linearbackward linearactivationbackward llayermodel deepmodel deepforward deepbackward forwarddeep backwarddeep",
}
"""The names that belong to one exercise rather than to another where a file holds several."""

CORE: dict[str, tuple[str, ...]] = {
    "forward": ("forward", "gradients", "train"),
    "cost": ("cost", "gradients", "train"),
    "backward": ("backward", "gradients", "train"),
    "update": ("update", "train"),
}
"""What belongs to every exercise, and the roles that may hold it."""

KINDS: dict[str, str] = {
    "X": "x inputs input data features xtrain trainx trainsetx a0 xdata xs inp inputdata trainingdata samples",
    "Y": "y labels label targets target ytrue ytrain trainsety truth groundtruth t ys ydata trainy outputs actual",
    "X_test": "xtest testsetx testx xval xdev",
    "Y_test": "ytest testsety testy yval ydev",
    "params": "paramsvalues parametervalues parameters params param theta p network "
    "weightsandbiases parametersdict model state",
    "weights": "weights ws weight weightslist weightmatrices",
    "biases": "biases bs bias biaseslist biasvectors",
    "cache": "cache caches memory stored forwardcache cached saved intermediates acts ctx mem tape linearcache",
    "AL": "al yhat ypred predictions prediction probs probabilities p output aout yprob pred yhats afinal activation2",
    "ZL": "zl logits logit zout",
    "dWs": "nablaw nablaws",
    "dbs": "nablab nablabs",
    "grads": "gradsvalues gradients grads grad gradient derivatives dparams gradsdict g dtheta",
    "learning_rate": "learningrate lr alpha eta rate stepsize lrate",
    "iterations": "numiterations iterations niter niters epochs nepochs numepochs steps numiters iters maxiter "
    "nsteps numsteps niterations maxiterations epoch",
    "activations": "activations gs activationfunctions activationslist acts activationnames funcs",
    "activation": "activation act g activationfunction hiddenactivation nonlinearity activationname",
    "m": "m nexamples numexamples nsamples batchsize",
    "n_x": "nx inputsize ninput ninputs inputdim dim inputunits nin nfeatures numfeatures sizein din n",
    "n_h": "nh hiddensize nhidden hiddendim hiddenunits nhiddenunits hidden numhidden",
    "n_y": "ny outputsize noutput noutputs outputdim outputunits nout dout",
    "layers": "layerdims layersdims layers sizes dims layersizes dimensions architecture layersdim nunits units shape",
    "verbose": "printcost verbose verb show printloss debug plot log printevery verboseevery",
    "A_prev": "aprev aprevious prev ain inputactivation",
    "dA": "da daout dal dacurr dacurrent upstream",
    "dZ": "dz delta",
    "Z": "z activationcache zcurr",
    "seed": "seed randomstate randomseed",
    "L": "numlayers nlayers numberoflayers",
    "lambd": "lambd lambda reg",
}
"""By what is handed over, the arguments' names in lower case without underscores."""

RESULTS: dict[str, str] = {
    "J": "cost j loss costs losses costhistory losshistory jhistory history totalcost costvalue lossvalue logprobscost "
    "avgcost crossentropycost total",
    "AL": "al yhat yhats afinal aout output out probs probabilities ypred prob yprob",
}
"""What local names are that have no letter of the notes in them, in lower case without underscores."""

DECORATION = re.compile(r"(temp|tmp|curr|current|new|final)$")


def plain(name: str) -> str:
    """In lower case, without underscores."""
    return name.replace("_", "").lower()


@cache
def _table(which: str) -> dict[str, str]:
    rows = {"functions": FUNCTIONS, "kinds": KINDS, "results": RESULTS}[which]
    found: dict[str, str] = {}
    for key, aliases in rows.items():
        for alias in aliases.split():
            found.setdefault(alias, key)
    return found


@cache
def role(name: str) -> str | None:
    """The role of a function with this name.

    >>> role("L_model_forward"), role("compute_cost"), role("helper")
    ('forward', 'cost', None)
    """
    return _table("functions").get(plain(name.rpartition(".")[2]))


def _owner(function: Function) -> str | None:
    """The exercise that a function's own name or its arguments give away."""
    short = plain(function.name.rpartition(".")[2])
    arguments = frozenset(function.arguments)
    if arguments & {"w"} and not arguments & {"W1", "w1"}:
        return "logistic"
    if "W1" in arguments or "w1" in arguments or arguments & {"n_h", "hidden_size", "n_hidden"}:
        return "shallow"
    return next((exercise for exercise, those in BELONGS.items() if short in those.split()), None)


def roles(inventory: Inventory, exercise: str, source: Source | None = None) -> Mapping[str, Function]:
    """Which of the file's functions plays which role in an exercise; methods only where no function does.

    Parameters
    ----------
    source : Source or None
        Where several functions could play a role, what they mention decides.
    """
    bodies = bodies_of(source) if source else {}
    found: dict[str, Function] = {}
    best: dict[str, tuple[int, int, int]] = {}
    for at, function in enumerate(inventory.functions.values()):
        part = role(function.name)
        if part is None:
            continue
        rank = (_strangeness(function, exercise, bodies), FUNCTIONS[part].split().index(plain(function.name)), at)
        if rank < best.get(part, (STRANGER, 0, 0)):
            found[part], best[part] = function, rank
    if exercise == "logistic" and "train" not in found and "model" in found and _trains(found["model"]):
        found["train"] = found["model"]
    if exercise in BELONGS and not {"forward", "backward", "gradients", "train"} & set(found):
        found |= _methods(inventory)
    return found


STRANGER = 2
"""A function that belongs to another exercise of the same file."""


def _strangeness(function: Function, exercise: str, bodies: Mapping[str, frozenset[str]]) -> int:
    """0 where it belongs to the exercise, 1 where it may, `STRANGER` where it belongs to another."""
    if exercise not in BELONGS:
        return 0
    of = _owner(function)
    told = told_by(bodies.get(function.name, frozenset()))
    if told is not None and of != told:
        of = told if of is None or {of, told} == {"logistic", "shallow"} else of
    if of is None or {of, exercise} == {"shallow", "deep"}:
        return 1
    return 0 if of == exercise else STRANGER


def _trains(function: Function) -> bool:
    return any(kind(argument) == "iterations" for argument in function.arguments)


def _methods(inventory: Inventory) -> dict[str, Function]:
    """The roles of the methods of the class that plays most of them."""
    by_class = []
    for methods in _networks(inventory):
        parts: dict[str, Function] = {}
        for short, method in methods.items():
            part = role(short)
            if part in OF_A_CLASS:
                parts.setdefault(part, method)
        by_class.append(parts)
    most = max(by_class, key=len, default={})
    return most if {"forward", "backward", "gradients", "train"} & set(most) else {}


def _networks(inventory: Inventory) -> list[Mapping[str, Function]]:
    """The classes that may be a network; none where several go forward and backward: these are layers and the like."""
    parts = [set(map(role, methods)) for methods in inventory.methods.values()]
    layered = sum({"forward", "backward"} <= those for those in parts) > 1
    return [] if layered else list(inventory.methods.values())


def told_by(mentioned: frozenset[str]) -> str | None:
    """The exercise that a function's words tell: W{} is deep, W2 shallow, w logistic."""
    if any(re.fullmatch(r"d?[WbwZAz]_?\{\}", word) for word in mentioned):
        return "deep"
    if mentioned & {"W2", "dW2", "w2", "dw2", "Z2", "dZ2", "W_2", "A2", "z2", "b2"}:
        return "deep" if mentioned & {"W3", "w3", "W_3", "dW3", "W4", "w4", "W_4", "dW4"} else "shallow"
    if {"weights", "bias"} <= mentioned and any(re.search("sigmoid|exp|logistic", word) for word in mentioned):
        return "logistic"
    if mentioned & {"layer_dims", "layers_dims", "caches", "linear_cache", "weights", "biases", "Ws", "AL"}:
        return "deep"
    return "logistic" if mentioned & {"w", "dw"} else None


def exercises(source: Source, inventory: Inventory) -> tuple[str, ...]:
    """Which exercises a file holds, in the order of `parity.grade.findings.EXERCISES`."""
    bodies = bodies_of(source)
    told: set[str] = set()
    for function in (*inventory.functions.values(), *(f for ms in _networks(inventory) for f in ms.values())):
        if role(function.name) in {*OF_A_CLASS, "layer_sizes", "model", *BLOCKS} - {"predict"}:
            told |= {_exercise_of(function, bodies)} - {None}  # type: ignore[arg-type]
    anything = {role(name) for name in inventory.functions}
    networks: list[str] = [e for e in ("logistic", "shallow", "deep") if e in told]
    whole = {"forward", "backward"} <= set(_methods(inventory))
    if not networks and (whole or anything & {*CORE, "gradients", "train"}):
        networks = [_network(source, inventory)]
    networks = [] if _of_many_classes(inventory, bodies) else networks
    units = []
    if anything & set(ACTIVATIONS):
        units.append("activations")
    if anything & {"initialize", "layer_sizes"}:
        units.append("initialization")
    return (*networks, *units)


def _of_many_classes(inventory: Inventory, bodies: Mapping[str, frozenset[str]]) -> bool:
    """Whether its output is softmax's, which is none of the exercises."""
    every = (*inventory.functions.values(), *(f for ms in inventory.methods.values() for f in ms.values()))
    mentioned = {word for f in every if role(f.name) for word in bodies.get(f.name, ())}
    soft, sigmoid = (any(what in word.lower() for word in mentioned) for what in ("softmax", "sigm"))
    return soft and not sigmoid


def _network(source: Source, inventory: Inventory) -> str:
    """The exercise of a file whose functions of a role tell none: W{l} in any, and lists of layers, are deep."""
    if "w" in set(words(source.tree)):
        return "logistic"
    if "deep" in {told_by(mentioned) for mentioned in bodies_of(source).values()}:
        return "deep"
    every = (*inventory.functions.values(), *inventory.classes.values())
    return "deep" if any(kind(name) == "layers" for function in every for name in function.arguments) else "shallow"


BLOCKS = ("linear_forward", "linear_activation_forward", "linear_backward", "linear_activation_backward")


def _exercise_of(function: Function, bodies: Mapping[str, frozenset[str]]) -> str | None:
    part, told = role(function.name), told_by(bodies.get(function.name, frozenset()))
    if part in BLOCKS:
        return "deep"
    if part in {"cost", "update"} and told is None:
        return None
    if part == "initialize" and told is None and plain(function.name) not in _specific():
        return None
    return told or _owner(function)


@cache
def _specific() -> frozenset[str]:
    return frozenset(" ".join(BELONGS.values()).split())


def missing(inventory: Inventory, exercise: str, source: Source | None = None) -> tuple[str, ...]:
    """The core roles of an exercise for which there is no function, nor one that holds them."""
    found = roles(inventory, exercise, source)
    if exercise in BELONGS:
        return tuple(part for part, holders in CORE.items() if not set(holders) & set(found))
    if exercise == "initialization":
        return () if "initialize" in found else ("initialize",)
    return tuple(name for name in ("sigmoid", "tanh", "relu") if name not in found)


@cache
def kind(argument: str) -> str | None:
    """What an argument of this name is to be given: a key of `KINDS`, a quantity such as W1 or dW1, w or b.

    >>> kind("X_train"), kind("W_1"), kind("dw"), kind("lr"), kind("w")
    ('X', 'W1', 'dw', 'learning_rate', 'w')
    """
    if argument in {"W", "w", "b", "B"}:
        return {"B": "b"}.get(argument, argument)
    if argument == "A":
        return "A"
    indexed = quantity(argument)
    if indexed is not None and (indexed in {"dw", "db", "dW"} or indexed[-1].isdigit()):
        return "X" if indexed == "A0" else indexed
    return _table("kinds").get(plain(argument))


LETTERS = {"w": "W", "b": "b", "z": "Z", "a": "A"}
INDEXED = re.compile(
    r"(?P<d>d[ljc]?d|d[ljc]|d|grad|g|delta)?(?P<of>[wbza])(?P<l>\d*|l|prev|previous|out|cur)(?P<e>grad|gradient|s)?"
)


@cache
def canonical(found: str | None, exercise: str, L: int) -> str | None:
    """A name from `quantity` as the exercise has it: AL is A2 in the shallow network, dW1 is dw in logistic regression.

    >>> canonical("AL", "shallow", 2), canonical("dW1", "logistic", 1), canonical("dW", "deep", 4)
    ('A2', 'dw', 'dW')
    """
    if found is None or found in {"J", "m"}:
        return found
    index = found.lstrip("dWwbZA")
    stem = found[: len(found) - len(index)]
    if exercise == "logistic":
        return stem.replace("W", "w") if index in {"", "1", "L"} else "A0" if found == "A0" else None
    stem, index = stem.replace("w", "W"), str(L) if index == "L" else index
    return stem + index if not index.isdigit() or int(index) <= L else None


@cache
def quantity(name: str) -> str | None:
    """The notes' name for what a learner calls so: "Z1", "dW" without an index, "AL", "dA_prev", "J", "m".

    >>> [quantity(name) for name in ("z_1", "grad_W2", "W1_grad", "dL_dW1", "delta_2", "yhat", "self.db1", "cost")]
    ['Z1', 'dW2', 'dW1', 'dW1', 'dZ2', 'AL', 'db1', 'J']
    """
    item = re.fullmatch(r".*\['(\w+)'\]", name)  # of a dict: grads['dW1']
    return _quantity(item[1] if item else name.removeprefix("self."))


def _quantity(name: str) -> str | None:
    short = DECORATION.sub("", plain(name)) or plain(name)
    if name == "j":  # an index
        return None
    if short in _table("results") or short == "m":
        return _table("results").get(short, "m")
    if found := re.fullmatch(r"deltas?(\d*)", short):
        return "dZ" + found[1]
    if short in {"zs", "preactivations", "as", "activations", "dzs", "das", "dws", "dbs", "ws", "bs"}:
        return {"preactivations": "Z", "activations": "A", "ws": "W", "bs": "b"}.get(short, _quantity(short[:-1]))
    if written := re.fullmatch(r"(d|grad)?(weights?|bias|biases)(\d*)", short):
        return f"{'d' * bool(written[1])}{'W' if written[2][0] == 'w' else 'b'}{written[3]}"
    found = INDEXED.fullmatch(short)
    if found is None or (found["d"] in {"delta"} and found["of"] != "w" and found["of"] != "b"):
        return None
    if found["d"] == "g" and not found["l"].isdigit():
        return None
    of, index = LETTERS[found["of"]], found["l"]
    last = index == "l" and "L" in name  # Z_l is that of any layer, ZL that of the last
    index = "_prev" if index.startswith("prev") else "L" if last else index if index.isdigit() else ""
    if not found["d"] and not found["e"] and of == "W" and not index:
        return "w" if name == "w" else "W"
    if found["d"] or found["e"] in {"grad", "gradient"}:
        return "d" + (of if of != "W" or index or not name.startswith("dw") else "w") + index
    return of + index
