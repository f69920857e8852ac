// SPDX-License-Identifier: BSD-2-Clause
// For mujs: strings, regular expressions, sorting, closures, numbers in and out, dates, JSON, garbage. No Math.pow of
// odd arguments: C libraries may differ in its last bit.
function fib(n) {
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}
print("fib", fib(20));

var primes = [];
for (var i = 2; primes.length < 500; i++) {
	var prime = true;
	for (var k = 0; k < primes.length && primes[k] * primes[k] <= i && prime; k++)
		prime = i % primes[k] !== 0;
	if (prime)
		primes.push(i);
}
print("primes", primes.slice(-5).join(" "));

var x = 12345, numbers = [];
for (var n = 0; n < 2000; n++) {
	x = (x * 1103515245 + 12345) % 2147483648;
	numbers.push(x / 2147483648 * Number("1e" + (n % 40 - 20)));
}
numbers.sort(function (a, b) { return a - b; });
var sum = 0;
for (n = 0; n < numbers.length; n++)
	sum = sum * 0.5 + numbers[n];
print("sorted", numbers[0], numbers[999], numbers[1999], sum);
print("fixed", (0.000001234).toFixed(10), (1e21).toString(), (255).toString(2), (123.456).toPrecision(5), 5e-324, 0.1 + 0.2);
print("parsed", parseFloat("3.14159265358979323846"), parseFloat("1e-400"), parseInt("zz", 36), Number("0x1f"), +"1e308" * 10);
print("math", Math.sin(1), Math.cos(2), Math.tan(3), Math.exp(1.5), Math.log(7), Math.atan2(3, 4), Math.sqrt(2));

var text = "";
for (n = 0; n < 300; n++)
	text += "word" + n * n % 97 + (n % 7 ? " " : ", ");
var counts = {};
text.replace(/word(\d+)/g, function (all, digits) { counts[digits] = (counts[digits] || 0) + 1; return all; });
print("words", JSON.stringify(counts));
print("split", text.split(/,\s*/).length, text.match(/word9\d/g).length, /(a+)+b/.test("aaaaaaaaaaaaaaac"));
print("date", new Date(0).toISOString(), Date.UTC(2026, 10, 28), new Date(1e12).getUTCDay());

var objects = {};
for (n = 0; n < 20000; n++)
	objects["k" + n % 500] = { n: n, next: objects["k" + (n + 1) % 500 ? "k" + (n * 7) % 500 : "k0"] ? n : null };
var total = 0;
for (var key in objects)
	total += objects[key].n;
print("objects", total);

try {
	(function deep(n) { return n + deep(n + 1); })(0);
} catch (e) {
	print("caught", e instanceof Error);
}
try {
	null.f();
} catch (e) {
	print("caught", e instanceof TypeError);
}
