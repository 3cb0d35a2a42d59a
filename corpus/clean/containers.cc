// SPDX-License-Identifier: BSD-2-Clause
// Static and thread-local containers, shared pointers, streams and exceptions:
// all give back what they took.
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace
{

std::unordered_map<std::string, std::vector<int>> by_name;
std::map<int, std::shared_ptr<std::string>> by_number;
thread_local std::string name;

int parse(const std::string &text)
{
	try {
		return std::stoi(text);
	} catch (const std::invalid_argument &) {
		return -1;
	}
}

void work(int number)
{
	name = "a name too long for the string itself, number " +
	       std::to_string(number);
	std::ostringstream out;
	out << name << parse("12") << parse("none");
}

} // namespace

int main()
{
	for (int i = 0; i < 200; i++) {
		by_name["key number " + std::to_string(i)].assign(i, i);
		by_number[i] = std::make_shared<std::string>(i, 'x');
	}
	std::vector<std::thread> threads;
	for (int i = 0; i < 4; i++)
		threads.emplace_back(work, i);
	for (auto &thread : threads)
		thread.join();
	std::cout << by_name.size() + by_number.size() << std::endl;
}
